// What can be fuzzed, and the run of many inputs through it.
import fc from 'fast-check';
import { mutate, mutations } from './mutate';

/** A reader, and the good files that its bad ones are made from. */
export interface FuzzTarget {
  name: string;
  seeds: Buffer[];
  /** Makes check sums right again. */
  repair?(bytes: Buffer): Buffer;
  /** Reads the bytes and checks what came out: throws only when the reader did what it must never do. */
  run(bytes: Buffer): void | Promise<void>;
  /** Removes what `run` has used. */
  close?(): void;
}

/**
 * Runs so many mutated inputs, the same for the same seed. `onRun` is called before each.
 * @throws Error with the smallest input found that breaks the target.
 */
export async function fuzz(target: FuzzTarget, options: { inputs: number; seed: number; onRun?: (run: number) => void }): Promise<void> {
  let run = 0;
  const property = fc.asyncProperty(mutations(target.seeds.length), async (mutation) => {
    options.onRun?.(run++);
    const bytes = mutate(mutation, target.seeds);
    const input = mutation.repair && target.repair ? target.repair(bytes) : bytes;
    try {
      await target.run(input);
    } catch (error) {
      throw new Error(`${(error as Error).stack}\nThe input, in base64: ${input.toString('base64').slice(0, 20_000)}`);
    }
  });
  await fc.assert(property, { numRuns: options.inputs, seed: options.seed, endOnFailure: false });
}
