// The process of a job on Ray: makes one run, and writes its news as lines of its log, which `runOnRay` reads.
import type { PoolTask } from '../pool/messages';
import { executeTask } from '../pool/pool-task';
import { jobLine } from './ray-log';

/** Milliseconds between two reports of progress: a log keeps them all. */
const EVERY = 2000;

const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => controller.abort(new Error('stopped')));

let last = -EVERY;
const task = JSON.parse(process.env.RIFLE_RAY_TASK!) as PoolTask;
void executeTask(
  task,
  (news) => {
    if ('progress' in news && performance.now() - last < EVERY) return;
    if ('progress' in news) last = performance.now();
    process.stdout.write(jobLine(news));
  },
  controller.signal,
).then((outcome) => {
  // A file, or a pipe that may be slow: the last line must be out before the process ends.
  process.stdout.write(jobLine(outcome), () => process.exit('id' in outcome ? 0 : 'stopped' in outcome ? 143 : 1));
});
