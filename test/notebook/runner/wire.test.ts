// Messages as frames: signed, and always valid UTF-8.
import assert from 'node:assert/strict';
import { decodeMessage, encodeMessage, newHeader, ReceivedMessages } from '../../../src/notebook/runner/wire';

const roundTrip = (text: string): unknown => {
  const frames = encodeMessage('key', newHeader('stream', 's'), { text }).map((part) => Buffer.from(part));
  return decodeMessage('key', frames)?.content.text;
};

const framesOf = (key: string, content = {}): Buffer[] =>
  encodeMessage(key, newHeader('execute_request', 's'), content, { identities: ['peer'] }).map((part) =>
    Buffer.from(part),
  );

describe('ReceivedMessages', () => {
  it('take a signed message once, and another one of the same content', () => {
    const received = new ReceivedMessages();
    const frames = framesOf('key', { code: '1' });
    assert.equal(received.decode('key', frames)?.content.code, '1');
    assert.equal(received.decode('key', frames), null);
    assert.equal(received.decode('key', [Buffer.from('another peer'), ...frames.slice(1)]), null);
    assert.notEqual(received.decode('key', framesOf('key', { code: '1' })), null);
    const unsigned = framesOf('');
    assert.ok(received.decode('', unsigned) !== null && received.decode('', unsigned) !== null);
  });
});

describe('decodeMessage', () => {
  it('takes objects of the protocol alone', () => {
    const [start, header] = [framesOf('').slice(0, 3), framesOf('')[3]];
    const decode = (...parts: string[]): unknown =>
      decodeMessage('', [...start, ...parts.map((part) => Buffer.from(part))]);
    assert.notEqual(decode(header.toString(), '{}', '{}', '{}'), null);
    for (const other of ['null', '[]', '1', '"text"', '{', '']) {
      assert.equal(decode(other, '{}', '{}', '{}'), null, `header ${other}`);
      for (const at of [1, 2, 3])
        assert.equal(
          decode(...[header.toString(), '{}', '{}', '{}'].map((part, i) => (i === at ? other : part))),
          null,
          `part ${at}: ${other}`,
        );
    }
    assert.equal(decode('{"msg_id":1,"msg_type":"a"}', '{}', '{}', '{}'), null);
  });
});

describe('encodeMessage', () => {
  it('replaces each half of a surrogate pair, and nothing else', () => {
    assert.equal(roundTrip('cut \ud83d here'), 'cut \ufffd here');
    assert.equal(roundTrip('\ude00\ud83d\ud83d'), '\ufffd\ufffd\ufffd');
    assert.equal(roundTrip('whole 😀, written \\ud83d, \\\\ud83d'), 'whole 😀, written \\ud83d, \\\\ud83d');
  });

  it('is not read with another key', () => {
    const frames = encodeMessage('key', newHeader('a', 's'), {}).map((part) => Buffer.from(part));
    assert.equal(decodeMessage('other', frames), null);
  });
});
