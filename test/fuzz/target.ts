// What can be fuzzed, and the run of many inputs through it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { KitError } from '../../src/base/errors';
import { withinBounds } from './bounds';
import { mutate, mutations, type Mutation } from './mutate';

/** A reader, and the good files that its bad ones are made from. */
export interface FuzzTarget {
  name: string;
  seeds: Buffer[];
  /** Makes check sums right again. */
  repair?(bytes: Buffer): Buffer;
  /** Called before an input, outside its bounds of time and memory. */
  prepare?(): void | Promise<void>;
  /** Reads the bytes and checks what came out: throws only when the reader did what it must never do. */
  run(bytes: Buffer): void | Promise<void>;
  /** Bytes that count as the size of an input, where it may take more memory than its bytes say. Default: its length. */
  sizeOf?(bytes: Buffer): number | Promise<number>;
  /** Removes what `run` has used. */
  close?(): void;
}

/** The targets of an area by name, each made when it is asked for. */
export type FuzzTargets = Readonly<Record<string, () => FuzzTarget | Promise<FuzzTarget>>>;

/**
 * Runs so many mutated inputs, the same for the same seed, or as many as `seconds` allow. `onRun` is called before
 * each.
 * @returns how many were run. @throws Error with the smallest input found that breaks the target or its bounds.
 */
export async function fuzz(
  target: FuzzTarget,
  options: { inputs: number; seed: number; seconds?: number; onRun?: (run: number) => void },
): Promise<number> {
  let run = 0;
  let present: Promise<void> = Promise.resolve();
  const property = fc.asyncProperty(mutations(target.seeds.length), (mutation) => (present = runOne(mutation)));
  const runOne = async (mutation: Mutation): Promise<void> => {
    options.onRun?.(run);
    run++;
    const bytes = mutate(mutation, target.seeds);
    const input = mutation.repair && target.repair ? target.repair(bytes) : bytes;
    await target.prepare?.();
    try {
      await withinBounds((await target.sizeOf?.(input)) ?? input.length, () => target.run(input));
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

/** The tests of an area: a few inputs of each target. The inputs that `npm run fuzz` draws are others. */
export function describeFuzz(title: string, targets: FuzzTargets, inputs = 100): void {
  describe(title, function () {
    this.timeout(120_000);
    for (const [name, make] of Object.entries(targets)) {
      it(`${name}: ${inputs} damaged inputs are read or refused, in bounded time and memory`, async () => {
        const target = await make();
        try {
          assert.ok((await fuzz(target, { inputs, seed: 2020 })) >= inputs);
        } finally {
          target.close?.();
        }
      });
    }
  });
}

/** A folder in memory where the system has one: the disk would be what is measured. */
export function scratch(): string {
  return fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'rifle-fuzz-'));
}

/** The outcome of a reader: its value, or undefined when it refused as it may. Anything else is thrown. */
export async function outcome<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    return refusal(error);
  }
}

/** Undefined for a KitError with a message and a code; anything else is thrown. */
export function refusal(error: unknown): undefined {
  if (error instanceof KitError && error.message !== '' && error.code !== '') return undefined;
  throw error;
}

/** A target that reads one file in a folder of its own. */
export function fileTarget(
  target: Omit<FuzzTarget, 'run' | 'close'> & { file?: string; read: (file: string, bytes: Buffer) => unknown },
): FuzzTarget {
  const folder = scratch();
  const { file: name = 'input', read, ...rest } = target;
  const file = path.join(folder, name);
  return {
    ...rest,
    async run(bytes) {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, bytes);
      await read(file, bytes);
    },
    close: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}
