// Messages as frames: signed, and always valid UTF-8.
import assert from 'node:assert/strict';
import { decodeMessage, encodeMessage, newHeader } from '../../../src/notebook/runner/wire';

const roundTrip = (text: string): unknown => {
  const frames = encodeMessage('key', newHeader('stream', 's'), { text }).map((part) => Buffer.from(part));
  return decodeMessage('key', frames)?.content.text;
};

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
