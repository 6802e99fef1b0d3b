// Damages bytes at random, the way files are damaged and the way they are forged: what the fuzz tests feed to the
// readers.
import fc from 'fast-check';

/** Numbers that formats trip over. */
const VALUES = [
  0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff,
];

/** Values of JSON that are put in the place of others: of another type, out of range, too long, too deep. */
const JSON_VALUES = [
  ...['null', 'true', '0', '-1', '1.5', '1e400', '9007199254740993', '""', '"\\u0000\\ud83d"', '"<b>=1+1"', '[]', '{}'],
  ...['[null]', '{"__proto__":{"a":1}}', '"constructor"', '"../../x"', '"NaN"', JSON.stringify('x'.repeat(5000))],
  '['.repeat(3000) + ']'.repeat(3000),
];

/** One change. Places and lengths are fractions of the file, so that a change fits any. */
interface Change {
  kind: 'bit' | 'byte' | 'word' | 'cut' | 'remove' | 'repeat' | 'insert' | 'splice' | 'digits' | 'json';
  at: number;
  length: number;
  value: number;
  big: boolean;
}

/** An input: one of the seeds, changed. */
export interface Mutation {
  seed: number;
  other: number;
  changes: Change[];
  /** Whether check sums are made right again where the target can (else most changes end at the first check). */
  repair: boolean;
}

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(
    'bit',
    'byte',
    'word',
    'word',
    'cut',
    'remove',
    'repeat',
    'insert',
    'splice',
    'digits',
    'json',
    'json',
  ),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.double({ min: 0, max: 1, noNaN: true }),
  value: fc.oneof(fc.constantFrom(...VALUES), fc.nat(0xffffffff)),
  big: fc.boolean(),
});

/** Mutations of one of so many seeds. */
export const mutations = (seeds: number): fc.Arbitrary<Mutation> =>
  fc.record({
    seed: fc.nat(seeds - 1),
    other: fc.nat(seeds - 1),
    changes: fc.array(change, { minLength: 1, maxLength: 6 }),
    repair: fc.boolean(),
  });

/** The bytes that a mutation stands for. */
export function mutate({ seed, other, changes }: Mutation, seeds: readonly Buffer[]): Buffer {
  return changes.reduce<Buffer>((bytes, each) => apply(bytes, each, seeds[other]), Buffer.from(seeds[seed]));
}

function apply(bytes: Buffer, { kind, at, length, value, big }: Change, other: Buffer): Buffer {
  const place = Math.floor(at * bytes.length);
  const size = Math.ceil(length ** 4 * Math.min(bytes.length - place, 4096)); // mostly short
  switch (kind) {
    case 'bit':
      if (place < bytes.length) bytes[place] ^= 1 << (value & 7);
      return bytes;
    case 'byte':
      if (place < bytes.length) bytes[place] = value & 0xff;
      return bytes;
    case 'word': {
      const start = Math.floor(place / 4) * 4; // formats align their numbers
      if (start + 4 <= bytes.length) bytes[big ? 'writeUInt32BE' : 'writeUInt32LE'](value, start);
      return bytes;
    }
    case 'digits': // numbers in words: of tar headers, of lists
      return Buffer.concat([
        bytes.subarray(0, place),
        Buffer.from(value.toString(big ? 8 : 10)),
        bytes.subarray(Math.min(bytes.length, place + 3)),
      ]);
    case 'json':
      return withOtherValue(bytes, place, JSON_VALUES[value % JSON_VALUES.length], big);
    case 'cut':
      return bytes.subarray(0, place);
    case 'remove':
      return Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + size)]);
    case 'repeat':
      return Buffer.concat([bytes.subarray(0, place + size), bytes.subarray(place)]);
    case 'insert':
      return Buffer.concat([bytes.subarray(0, place), Buffer.alloc(size, value & 0xff), bytes.subarray(place)]);
    case 'splice': {
      const from = Math.floor(length * other.length);
      return Buffer.concat([bytes.subarray(0, place), other.subarray(from, from + size), bytes.subarray(place + size)]);
    }
  }
}

/** Puts another value in the place of the first JSON value at `place` or after it; `whole`: of a list or object too. */
function withOtherValue(bytes: Buffer, place: number, value: string, whole: boolean): Buffer {
  const text = bytes.toString('latin1');
  const token = whole ? /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[[{]/g : /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;
  token.lastIndex = place;
  const match = token.exec(text);
  if (match === null) return bytes;
  let end = token.lastIndex;
  for (let depth = /[[{]/.test(match[0]) ? 1 : 0; depth > 0 && end < text.length; end++)
    depth += /[[{]/.test(text[end]) ? 1 : /[\]}]/.test(text[end]) ? -1 : 0;
  return Buffer.concat([bytes.subarray(0, match.index), Buffer.from(value), bytes.subarray(end)]);
}
