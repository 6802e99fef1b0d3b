// `npm run fuzz -- AREA`: many damaged inputs for every reader of an area, watched for crashes, hangs and memory.
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { Command } from 'commander';

/** An area is a file of this folder that has `targets`. */
const AREAS = ['data', 'weights'];

/** Seconds that one input may take before it counts as a hang. */
const HANG_SECONDS = 60;

/**
 * MB of memory of the whole process that count as beyond bounds: what Node, sharp and the readers' bounds need, and
 * half as much again.
 */
const MOST_MB = 1500;

interface Options {
  inputs: number;
  seed: number;
  threads: number;
  seconds?: number;
  only?: string[];
}

/** Runs one target in threads, each with its part of the inputs and a seed of its own, and watches them. */
async function runTarget(area: string, name: string, { inputs, seed, threads, seconds }: Options): Promise<void> {
  const start = performance.now();
  const shards = Array.from({ length: threads }, (_, i) => ({
    seed: seed + i,
    inputs: Math.ceil((inputs - i) / threads),
    seconds,
    counter: new Int32Array(new SharedArrayBuffer(4)),
    last: -1,
    since: start,
  }));
  let peakMb = 0;
  let said = start;
  let fail: (error: Error) => void = () => undefined;
  const watch = setInterval(() => {
    const now = performance.now();
    peakMb = Math.max(peakMb, process.memoryUsage().rss / 1e6);
    if (peakMb > MOST_MB + 100 * threads)
      fail(
        new Error(
          `${name}: ${peakMb.toFixed(0)} MB of memory, at inputs ${shards.map((shard) => `${shard.counter[0]} of seed ${shard.seed}`).join(', ')}`,
        ),
      );
    for (const shard of shards) {
      if (shard.counter[0] !== shard.last) [shard.last, shard.since] = [shard.counter[0], now];
      if (now - shard.since > HANG_SECONDS * 1000 && shard.last < shard.inputs - 1)
        fail(new Error(`${name}: input ${shard.last} of seed ${shard.seed} has run for ${HANG_SECONDS} s`));
    }
    if (now - said > 60_000) {
      said = now;
      process.stderr.write(
        `${name}: ${shards.reduce((sum, { counter }) => sum + counter[0], 0)} of ${inputs}, ${((now - start) / 1000).toFixed(0)} s\n`,
      );
    }
  }, 200);
  const workers = shards.map(
    (shard) =>
      new Worker(path.join(__dirname, 'worker.js'), {
        workerData: { area, name, ...shard },
        resourceLimits: { maxOldGenerationSizeMb: 512 },
      }),
  );
  try {
    const failed = new Promise<never>((_, reject) => (fail = reject));
    const done = workers.map(
      (worker, i) =>
        new Promise<void>((resolve, reject) => {
          worker.on('message', (error: string | null) => (error === null ? resolve() : reject(new Error(error))));
          worker.on('error', reject);
          worker.on('exit', (code) =>
            reject(
              new Error(
                `${name}: a thread ended with ${code} at input ${shards[i].counter[0]} of seed ${shards[i].seed}`,
              ),
            ),
          );
        }),
    );
    await Promise.race([failed, Promise.all(done)]);
  } finally {
    clearInterval(watch);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  const ran = shards.reduce((sum, { counter }) => sum + counter[0], 0);
  console.log(
    `${area} ${name}: ${ran} inputs from seed ${seed} on in ${((performance.now() - start) / 1000).toFixed(0)} s on ${threads} threads: nothing crashed, hung or grew (at most ${peakMb.toFixed(0)} MB)`,
  );
}

new Command('fuzz')
  .description('many damaged inputs for every reader of an area')
  .argument('<area>', AREAS.join(', '))
  .option('--inputs <n>', 'for each reader', Number, 200_000)
  .option('--seed <n>', 'what the inputs are drawn from', Number, 1)
  .option('--threads <n>', 'that share the inputs', Number, availableParallelism())
  .option('--seconds <n>', 'end after so long for each reader, whatever is left', Number)
  .option('--only <readers...>', 'these readers only')
  .addHelpText('after', '\nExample:\n  $ npm run fuzz -- data --inputs 10000 --only mat zip')
  .action(async (area: string, options: Options) => {
    if (!AREAS.includes(area)) throw new Error(`There is no area "${area}"; there are: ${AREAS.join(', ')}.`);
    const { targets } = (await import(`./${area}.js`)) as { targets: Record<string, unknown> };
    for (const name of options.only ?? Object.keys(targets)) await runTarget(area, name, options);
  })
  .parseAsync()
  .catch((error: unknown) => {
    console.error((error as Error).message);
    process.exit(1);
  });
