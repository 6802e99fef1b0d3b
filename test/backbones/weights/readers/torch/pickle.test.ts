import assert from 'node:assert/strict';
import { KitError } from '../../../../../src/base/errors';
import { ByteStream } from '../../../../../src/backbones/weights/readers/byte-stream';
import { torchRules } from '../../../../../src/backbones/weights/readers/torch/torch-tensors';
import { AllowedName, readPickle, type PickleRules } from '../../../../../src/backbones/weights/readers/torch/pickle';

const none: PickleRules = { names: new Map() };
const read = (bytes: Buffer | string, rules = none) =>
  readPickle(ByteStream.of(typeof bytes === 'string' ? Buffer.from(bytes, 'base64') : bytes), rules);

const refusal = (bytes: Buffer, message: RegExp, rules = none) =>
  assert.throws(
    () => read(bytes, rules),
    (error: unknown) => error instanceof KitError && message.test(error.message),
  );

describe('readPickle', function () {
  this.timeout(60_000);
  // base64 of pickle.dumps({'a': [1, -2, 300, 70000, 2**40, -2**70], 'b': (1.5, None, True, False), 'c': ('x',), 'd':
  // b'\x00\xff', 'e': {3}, 'é': ()}, protocol)
  const byProtocol: Record<number, string> = {
    4: 'gASVZQAAAAAAAAB9lCiMAWGUXZQoSwFK/v///00sAUpwEQEAigYAAAAAAAGKCQAAAAAAAAAAwGWMAWKUKEc/+AAAAAAAAE6IiXSUjAFjlIwBeJSFlIwBZJRDAgD/lIwBZZSPlChLA5CMAsOplCl1Lg==',
    5: 'gAWVZQAAAAAAAAB9lCiMAWGUXZQoSwFK/v///00sAUpwEQEAigYAAAAAAAGKCQAAAAAAAAAAwGWMAWKUKEc/+AAAAAAAAE6IiXSUjAFjlIwBeJSFlIwBZJRDAgD/lIwBZZSPlChLA5CMAsOplCl1Lg==',
  };

  for (const [protocol, pickle] of Object.entries(byProtocol)) {
    it(`reads what Python wrote with protocol ${protocol}`, () => {
      assert.deepEqual(
        read(pickle),
        new Map<unknown, unknown>([
          ['a', [1, -2, 300, 70000, 2 ** 40, -(2n ** 70n)]],
          ['b', [1.5, null, true, false]],
          ['c', ['x']],
          ['d', Uint8Array.of(0, 255)],
          ['e', new Set([3])],
          ['é', []],
        ]),
      );
    });
  }

  it('keeps one object one object', () => {
    // Python: a = []; pickle.dumps([a, a], 2)
    const [first, second] = read('gAJdcQAoXXEBaAFlLg==') as unknown[];
    assert.equal(first, second);
  });

  it('refuses a name that is not allowed, before anything is made of it', () => {
    refusal(Buffer.from('cos\nsystem\n(X\x02\x00\x00\x00lstR.'), /os\.system.*nothing was executed/);
    refusal(Buffer.from('\x80\x04\x8c\x05posix\x8c\x06system\x93.', 'latin1'), /posix\.system/);
  });

  it('refuses to call what is allowed only as a name', () => {
    const rules: PickleRules = { names: new Map([['torch.FloatStorage', new AllowedName('torch.FloatStorage')]]) };
    refusal(Buffer.from('ctorch\nFloatStorage\n)R.'), /torch\.FloatStorage cannot be called/, rules);
  });

  it('refuses the opcodes that make objects of any class', () => {
    refusal(Buffer.from('(ios\nsystem\n.'), /0x69/); // INST
    refusal(Buffer.from('(cos\nsystem\no.'), /os\.system/); // OBJ
    refusal(Buffer.from('\x82\x01.', 'latin1'), /0x82/); // EXT1
  });

  it('refuses what is no pickle, what ends early, and lengths beyond the end', () => {
    refusal(Buffer.from('<html>'), /Opcode 0x3c/);
    refusal(Buffer.from('\x80\x02]q', 'latin1'), /truncated/);
    refusal(Buffer.from('\x80\x04\x8d\xff\xff\xff\xff\xff\xff\x00\x00abc', 'latin1'), /truncated/);
    refusal(Buffer.from('\x80\x02a.', 'latin1'), /stack is empty/);
    refusal(Buffer.from('\x80\x02h\x07.', 'latin1'), /memo 7/);
    refusal(Buffer.from('\x80\x02K\x01K\x02a.', 'latin1'), /list or tuple/);
    refusal(Buffer.from('\x80\x02N)R.', 'latin1'), /not a name/);
  });

  it('bears lists within lists within lists', () => {
    const depth = 200_000;
    let inner = read(Buffer.from(`${']'.repeat(depth)}${'a'.repeat(depth - 1)}.`));
    let found = 0;
    for (; Array.isArray(inner); inner = inner[0]) found++;
    assert.equal(found, depth);
  });

  it('does not spell out lists that hold each other: forty doublings of one would be endless', () => {
    const doubled = `]q\x00${'0h\x00h\x00\x86q\x00'.repeat(40)}`; // a := (a, a), again and again
    refusal(Buffer.from(`\x80\x02${doubled}0h\x00h\x00\x93.`, 'latin1'), /a name that it asks for is no text/);
    const rules = torchRules(new Map());
    refusal(
      Buffer.from(`\x80\x02${doubled}0(X\x07\x00\x00\x00storagectorch\nFloatStorage\nh\x00NK\x01tQ.`, 'latin1'),
      /storage in it has no name/,
      rules,
    );
  });

  it('refuses to make more than any weights need, and lines without an end', () => {
    refusal(Buffer.alloc(1_000_001, '}'), /more than 1000000 values/);
    refusal(Buffer.from(`c${'x'.repeat(5000)}`), /a line of it has more than 4096 bytes/i);
  });

  it('cannot be made to write to a prototype', () => {
    // Python: pickle.dumps({'__proto__': {'polluted': 1}}, 2)
    const read1 = read('gAJ9cQBYCQAAAF9fcHJvdG9fX3EBfXECWAgAAABwb2xsdXRlZHEDSwFzcy4=') as Map<string, unknown>;
    assert.deepEqual([...read1.keys()], ['__proto__']);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });
});
