// Finds pairs of images whose perceptual hashes differ in few bits, without comparing every pair.

/** Most bits by which the hashes of near duplicates differ. */
export const NEAR_BITS = 3;

const BANDS = NEAR_BITS + 1;
/** Most images of one band value that are compared with each other: a bound on the time for artificial images. */
const MOST_IN_BAND = 2000;

/** Number of bits in which two hashes (16 hexadecimal digits) differ. */
export function bitsApart(a: string, b: string): number {
  let difference = BigInt(`0x${a}`) ^ BigInt(`0x${b}`);
  let bits = 0;
  for (; difference !== 0n; difference &= difference - 1n) bits++;
  return bits;
}

/**
 * All pairs of positions whose hashes differ in at most `NEAR_BITS` bits, in the order of the first. Two such hashes
 * are equal in at least one of four bands of 16 bits, so only images that share a band are compared.
 */
export function nearPairs(hashes: readonly (string | null)[]): [number, number][] {
  const bands = Array.from({ length: BANDS }, () => new Map<string, number[]>());
  const pairs: [number, number][] = [];
  hashes.forEach((hash, position) => {
    if (hash === null) return;
    const seen = new Set<number>();
    bands.forEach((band, i) => {
      const key = hash.slice(4 * i, 4 * i + 4);
      const list = band.get(key) ?? [];
      band.set(key, list);
      for (const other of list) {
        if (seen.has(other)) continue;
        seen.add(other);
        if (bitsApart(hashes[other]!, hash) <= NEAR_BITS) pairs.push([other, position]);
      }
      if (list.length < MOST_IN_BAND) list.push(position);
    });
  });
  return pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}
