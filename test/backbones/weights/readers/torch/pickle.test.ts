import assert from 'node:assert/strict';
import { KitError } from '../../../../../src/base/errors';
import { ByteStream } from '../../../../../src/backbones/weights/readers/byte-stream';
import { MemoryBudget } from '../../../../../src/backbones/weights/readers/memory-budget';
import { torchRules } from '../../../../../src/backbones/weights/readers/torch/torch-rules';
import { AllowedName, type PickleRules } from '../../../../../src/backbones/weights/readers/torch/pickle-machine';
import { readPickle } from '../../../../../src/backbones/weights/readers/torch/pickle';

const budget = (): MemoryBudget => new MemoryBudget(0);
const none: PickleRules = { nameOf: () => undefined, budget: budget() };
const read = (bytes: Buffer | string, rules = none) =>
  readPickle(ByteStream.of(typeof bytes === 'string' ? Buffer.from(bytes, 'base64') : bytes), rules);

const refusal = (bytes: Buffer, code: string, rules = none) =>
  assert.throws(
    () => read(bytes, rules),
    (error: unknown) => error instanceof KitError && error.code === code,
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
    refusal(Buffer.from('cos\nsystem\n(X\x02\x00\x00\x00lstR.'), 'PICKLE_NAME');
    refusal(Buffer.from('\x80\x04\x8c\x05posix\x8c\x06system\x93.', 'latin1'), 'PICKLE_NAME');
  });

  it('refuses to call what is allowed only as a name', () => {
    const rules: PickleRules = { nameOf: (name) => new AllowedName(name), budget: budget() };
    refusal(Buffer.from('ctorch\nFloatStorage\n)R.'), 'PICKLE_MALFORMED', rules);
  });

  it('refuses the opcodes that make objects of any class', () => {
    refusal(Buffer.from('(ios\nsystem\n.'), 'PICKLE_OPCODE'); // INST
    refusal(Buffer.from('(cos\nsystem\no.'), 'PICKLE_NAME'); // OBJ
    refusal(Buffer.from('\x82\x01.', 'latin1'), 'PICKLE_OPCODE'); // EXT1
  });

  it('refuses what is no pickle, what ends early, and lengths beyond the end', () => {
    refusal(Buffer.from('<html>'), 'PICKLE_OPCODE');
    refusal(Buffer.from('\x80\x02]q', 'latin1'), 'WEIGHTS_TRUNCATED');
    refusal(Buffer.from('\x80\x04\x8d\xff\xff\xff\xff\xff\xff\x00\x00abc', 'latin1'), 'WEIGHTS_TRUNCATED');
    refusal(Buffer.from('\x80\x02a.', 'latin1'), 'PICKLE_MALFORMED');
    refusal(Buffer.from('\x80\x02h\x07.', 'latin1'), 'PICKLE_MALFORMED');
    refusal(Buffer.from('\x80\x02K\x01K\x02a.', 'latin1'), 'PICKLE_MALFORMED');
    refusal(Buffer.from('\x80\x02N)R.', 'latin1'), 'PICKLE_MALFORMED');
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
    refusal(Buffer.from(`\x80\x02${doubled}0h\x00h\x00\x93.`, 'latin1'), 'PICKLE_MALFORMED');
    const rules = torchRules(new Map(), budget());
    refusal(
      Buffer.from(`\x80\x02${doubled}0(X\x07\x00\x00\x00storagectorch\nFloatStorage\nh\x00NK\x01tQ.`, 'latin1'),
      'PTH_STORAGE',
      rules,
    );
  });

  it('bounds the memory of values by the size of the file, however they are made', () => {
    const filled = (start: string, repeated: string, end = ''): Buffer =>
      Buffer.from(`\x80\x04${start}${repeated.repeat(400_000 / repeated.length)}${end}.`, 'latin1');
    const bounded = (pickle: Buffer) =>
      refusal(pickle, 'WEIGHTS_MEMORY_BOUND', torchRules(new Map(), new MemoryBudget(pickle.length)));
    bounded(filled('', '}')); // dicts
    bounded(filled('', '\x8f')); // sets
    // one list of pairs, made a dict again and again: 200 bytes that each make 64 kB
    const pairs = `](${'K\x01K\x02\x86'.repeat(1000)}e\x940`;
    bounded(filled(pairs, 'ccollections\nOrderedDict\nh\x00\x85R0'));
    bounded(filled(pairs, 'ccollections\nCounter\nh\x00\x85R0'));
    bounded(filled(pairs, 'c__builtin__\nset\nh\x00\x85R0'));
  });

  it('refuses a memo that leaves most of its keys out, and lines without an end', () => {
    refusal(Buffer.from('\x80\x02Nr\xff\xff\xff\x7f.', 'latin1'), 'PICKLE_MALFORMED');
    refusal(Buffer.from(`c${'x'.repeat(5000)}`), 'PICKLE_MALFORMED');
  });

  it('cannot be made to write to a prototype', () => {
    // Python: pickle.dumps({'__proto__': {'polluted': 1}}, 2)
    const read1 = read('gAJ9cQBYCQAAAF9fcHJvdG9fX3EBfXECWAgAAABwb2xsdXRlZHEDSwFzcy4=') as Map<string, unknown>;
    assert.deepEqual([...read1.keys()], ['__proto__']);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });
});
