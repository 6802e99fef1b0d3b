// What can be fuzzed, and the run of many inputs through it.
import fc from 'fast-check';
import { mutate, mutations, type Mutation } from './mutate';

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
 * Runs so many mutated inputs, the same for the same seed, or as many as `seconds` allow. `onRun` is called before
 * each.
 * @returns how many were run. @throws Error with the smallest input found that breaks the target.
 */
export async function fuzz(
  target: FuzzTarget,
  options: { inputs: number; seed: number; seconds?: number; onRun?: (run: number) => void },
): Promise<number> {
  let run = 0;
  let present: Promise<void> = Promise.resolve();
  const property = fc.asyncProperty(mutations(target.seeds.length), (mutation) => (present = runOne(mutation)));
  const runOne = async (mutation: Mutation): Promise<void> => {
    options.onRun?.(run++);
    const bytes = mutate(mutation, target.seeds);
    const input = mutation.repair && target.repair ? target.repair(bytes) : bytes;
    try {
      await target.run(input);
    } catch (error) {
      throw new Error(`${(error as Error).stack}\nThe input, in base64: ${input.toString('base64').slice(0, 20_000)}`);
    }
  };
  await fc.assert(property, {
    numRuns: options.inputs,
    seed: options.seed,
    endOnFailure: false,
    interruptAfterTimeLimit: options.seconds && 1000 * options.seconds,
  });
  await present; // what the time limit came upon
  return run;
}
