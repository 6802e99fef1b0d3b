// `npm run fuzz -- AREA`: many damaged inputs for every reader of an area, watched for crashes, hangs and memory.
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { Command } from 'commander';

/** An area is a file of this folder that has `targets`. */
const AREAS = ['data'];

/** Seconds that one input may take before it counts as a hang. */
const HANG_SECONDS = 60;

/** MB of memory of the whole process that count as beyond bounds: what Node, sharp and the readers' bounds need, and half as much again. */
const MOST_MB = 1500;

interface Options {
  inputs: number;
  seed: number;
  only?: string[];
}

/** Runs one target in a thread and watches it. */
async function runTarget(area: string, name: string, { inputs, seed }: Options): Promise<void> {
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const start = performance.now();
  const worker = new Worker(path.join(__dirname, 'worker.js'), { workerData: { area, name, inputs, seed, counter }, resourceLimits: { maxOldGenerationSizeMb: 512 } });
  let [last, since, said] = [-1, performance.now(), performance.now()];
  let peakMb = 0;
  const watch = setInterval(() => {
    const now = performance.now();
    peakMb = Math.max(peakMb, process.memoryUsage().rss / 1e6);
    if (counter[0] !== last) [last, since] = [counter[0], now];
    if (now - since > HANG_SECONDS * 1000) stop(new Error(`${name}: input ${last} of seed ${seed} has run for ${HANG_SECONDS} s`));
    if (peakMb > MOST_MB) stop(new Error(`${name}: ${peakMb.toFixed(0)} MB of memory at input ${last} of seed ${seed}`));
    if (now - said > 60_000) {
      said = now;
      process.stderr.write(`${name}: ${counter[0]} of ${inputs}, ${((now - start) / 1000).toFixed(0)} s\n`);
    }
  }, 200);
  let stop: (error: Error) => void = () => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      stop = (error) => {
        void worker.terminate();
        reject(error);
      };
      worker.on('message', (error: string | null) => (error === null ? resolve() : reject(new Error(error))));
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`${name}: the thread ended with ${code} at input ${counter[0]} of seed ${seed}`)));
    });
  } finally {
    clearInterval(watch);
    await worker.terminate();
  }
  console.log(`${area} ${name}: ${inputs} inputs of seed ${seed} in ${((performance.now() - start) / 1000).toFixed(0)} s, nothing crashed, hung or grew (at most ${peakMb.toFixed(0)} MB)`);
}

new Command('fuzz')
  .description('many damaged inputs for every reader of an area')
  .argument('<area>', AREAS.join(', '))
  .option('--inputs <n>', 'for each reader', Number, 200_000)
  .option('--seed <n>', 'what the inputs are drawn from', Number, 1)
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
