// Named streams of random numbers from one seed: counter based, so that drawing more from one never shifts another.
import { createHash } from 'node:crypto';

/**
 * A stream of random numbers. Its whole state is `counter`, the number of 32-bit words drawn: set it to continue
 * elsewhere.
 */
export interface RandomStream {
  counter: number;
  /** Uniform in [low, high), 53 random bits. Default [0, 1). Draws 2 words. */
  uniform(low?: number, high?: number): number;
  /** Normal, by Box and Muller's transform. Default mean 0, standard deviation 1. Draws 4 words. */
  normal(mean?: number, std?: number): number;
  /** Integer, uniform in [0, below). Draws 2 words. */
  integer(below: number): number;
  /** The numbers 0 to n-1 in random order (Fisher and Yates' shuffle). */
  permutation(n: number): Uint32Array;
}

/**
 * The stream `name` of `seed`; `epoch` and `index` (32-bit integers, default 0) choose an independent sub-stream.
 * A pure function of its arguments: the key is the start of sha256("seed/name"), the generator Philox 4x32-10
 * (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 */
export function randomStream(seed: number, name: string, epoch = 0, index = 0): RandomStream {
  return new PhiloxStream(streamKey(seed, name), epoch, index);
}

const keys = new Map<string, readonly [number, number]>();

/** The 64-bit Philox key of a stream, as two 32-bit words. */
function streamKey(seed: number, name: string): readonly [number, number] {
  const label = `${seed}/${name}`;
  let key = keys.get(label);
  if (key === undefined) {
    const digest = createHash('sha256').update(label).digest();
    key = [digest.readUInt32LE(0), digest.readUInt32LE(4)];
    keys.set(label, key);
  }
  return key;
}

class PhiloxStream implements RandomStream {
  counter = 0;
  private block = -1;
  private readonly words = new Uint32Array(4);

  constructor(
    private readonly key: readonly [number, number],
    private readonly epoch: number,
    private readonly index: number,
  ) {}

  private word(): number {
    const block = Math.floor(this.counter / 4);
    if (block !== this.block) {
      philoxInto(
        this.words,
        block >>> 0,
        Math.floor(block / 2 ** 32),
        this.epoch,
        this.index,
        this.key[0],
        this.key[1],
      );
      this.block = block;
    }
    return this.words[this.counter++ % 4];
  }

  uniform(low = 0, high = 1): number {
    const unit = ((this.word() >>> 5) * 2 ** 26 + (this.word() >>> 6)) / 2 ** 53;
    return low + (high - low) * unit;
  }

  normal(mean = 0, std = 1): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return mean + std * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  integer(below: number): number {
    return Math.floor(this.uniform() * below);
  }

  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}

/**
 * One block of Philox 4x32 with 10 rounds: four random words from a 128-bit counter and a 64-bit key (little-endian
 * words).
 */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  const words = new Uint32Array(4);
  philoxInto(words, counter[0], counter[1], counter[2], counter[3], key[0], key[1]);
  return [words[0], words[1], words[2], words[3]];
}

/** `philox` without an allocation: a network of 25 million weights draws as many blocks. */
function philoxInto(words: Uint32Array, c0: number, c1: number, c2: number, c3: number, k0: number, k1: number): void {
  for (let round = 0; round < 10; round++) {
    const low0 = Math.imul(0xd2511f53, c0);
    const high0 = multiplyHigh(0xd2511f53, c0 >>> 0, low0 >>> 0);
    const low1 = Math.imul(0xcd9e8d57, c2);
    const high1 = multiplyHigh(0xcd9e8d57, c2 >>> 0, low1 >>> 0);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

/**
 * The upper 32 bits of the 64-bit product of two unsigned 32-bit integers, from its lower 32 bits `low`. The product in
 * float64 is at most 1024 off, and the upper bits are a whole number: rounding makes them exact.
 */
function multiplyHigh(a: number, b: number, low: number): number {
  return Math.floor((a * b - low) / 2 ** 32 + 0.5) | 0;
}
