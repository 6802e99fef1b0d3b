// Damages bytes at random, the way files are damaged and the way they are forged: what the fuzz tests feed to the
// readers.
import fc from 'fast-check';

/** Numbers that formats trip over. */
const VALUES = [
  0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff,
];

/** One change. Places and lengths are fractions of the file, so that a change fits any. */
interface Change {
  kind: 'bit' | 'byte' | 'word' | 'cut' | 'remove' | 'repeat' | 'insert' | 'splice' | 'digits';
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
  kind: fc.constantFrom('bit', 'byte', 'word', 'word', 'cut', 'remove', 'repeat', 'insert', 'splice', 'digits'),
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
