// `npm run fuzz -- [AREA...]`: many damaged inputs for every reader, watched for crashes, hangs, time and memory.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { scratch, type FuzzTargets } from './target';

/** An area is a file of this folder that has `targets`. */
const AREAS = ['data', 'weights', 'store', 'notebooks'];

/** Seconds that one input may take before it counts as a hang: its bounds are checked only when it ends. */
const HANG_SECONDS = 60;

/** MB of memory of a process that count as beyond bounds while an input runs. */
const MOST_MB = 1500;

interface Options {
  inputs: number;
  seed: number;
  processes: number;
  seconds?: number;
  only?: string[];
}

/** MB of memory of a process; 0 where the system does not say. */
function memoryOf(pid: number | undefined): number {
  try {
    return (4096 * Number(fs.readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])) / 1e6;
  } catch {
    return 0;
  }
}

/** Runs one target in processes, each with its part of the inputs and a seed of its own, and watches them. */
async function runTarget(area: string, name: string, options: Options): Promise<boolean> {
  const { inputs, seed, processes, seconds } = options;
  const start = performance.now();
  const folder = scratch();
  let [peakMb, reported] = [0, start];
  const shards = Array.from({ length: processes }, (_, i) => {
    const counter = path.join(folder, String(i));
    fs.writeFileSync(counter, Buffer.alloc(4));
    const task = { area, name, counter, seconds, seed: seed + i, inputs: Math.ceil((inputs - i) / processes) };
    const child = spawn(
      process.execPath,
      ['--max-old-space-size=512', path.join(__dirname, 'worker.js'), JSON.stringify(task)],
      { stdio: ['pipe', 'inherit', 'pipe'] }, // its standard input ends with this process, and it with that
    );
    let printed = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (printed = (printed + text).slice(-40_000)));
    const count = (): number => fs.readFileSync(counter).readUInt32LE();
    const stop = (why: string): void => {
      printed += `${name}: input ${count()} of seed ${task.seed} ${why}\n`;
      child.kill('SIGKILL');
    };
    const ended = new Promise<string | null>((resolve) =>
      child.on('close', (code, signal) =>
        resolve(code === 0 ? null : `${printed}${name}: input ${count()} of seed ${task.seed} (${signal ?? code})\n`),
      ),
    );
    return { count, stop, ended, pid: child.pid, last: -1, since: start };
  });
  const watch = setInterval(() => {
    const now = performance.now();
    for (const shard of shards) {
      const count = shard.count();
      if (count !== shard.last) [shard.last, shard.since] = [count, now];
      if (now - shard.since > HANG_SECONDS * 1000) shard.stop(`has run for ${HANG_SECONDS} s`);
      const mb = memoryOf(shard.pid);
      if (mb > MOST_MB) shard.stop(`takes ${mb.toFixed(0)} MB`);
      peakMb = Math.max(peakMb, mb);
    }
    if (now - reported < 60_000) return;
    reported = now;
    const ran = shards.reduce((sum, { last }) => sum + last, 0);
    process.stderr.write(`${name}: ${ran} of ${inputs}, ${((now - start) / 1000).toFixed(0)} s\n`);
  }, 200);
  const failures = (await Promise.all(shards.map(({ ended }) => ended))).filter((failure) => failure !== null);
  clearInterval(watch);
  const ran = shards.reduce((sum, { count }) => sum + count(), 0);
  fs.rmSync(folder, { recursive: true, force: true });
  for (const failure of failures) console.log(failure);
  console.log(
    `${area} ${name}: ${ran} inputs from seed ${seed} on in ${((performance.now() - start) / 1000).toFixed(0)} s: ` +
      `${failures.length === 0 ? 'all within their bounds' : 'FAILED'} (processes of at most ${peakMb.toFixed(0)} MB)`,
  );
  return failures.length === 0;
}

new Command('fuzz')
  .description('many damaged inputs for every reader; each may take 2 s and 20 times its size plus 64 MB')
  .argument('[areas...]', AREAS.join(', '), AREAS)
  .option('--inputs <n>', 'for each reader', Number, 200_000)
  .option('--seed <n>', 'what the inputs are drawn from', Number, 1)
  .option('--processes <n>', 'that share the inputs', Number, availableParallelism())
  .option('--seconds <n>', 'end after so long for each reader, whatever is left', Number)
  .option('--only <readers...>', 'these readers only')
  .addHelpText('after', '\nExample:\n  $ npm run fuzz -- data --inputs 10000 --only mat zip')
  .action(async (areas: string[], options: Options) => {
    let ok = true;
    for (const area of areas) {
      if (!AREAS.includes(area)) throw new Error(`There is no area "${area}"; there are: ${AREAS.join(', ')}.`);
      const { targets } = (await import(`./${area}.js`)) as { targets: FuzzTargets };
      const names = Object.keys(targets).filter((name) => options.only === undefined || options.only.includes(name));
      for (const name of names) ok = (await runTarget(area, name, options)) && ok;
    }
    process.exitCode = ok ? 0 : 1;
  })
  .parseAsync()
  .catch((error: unknown) => {
    console.error((error as Error).message);
    process.exit(1);
  });
