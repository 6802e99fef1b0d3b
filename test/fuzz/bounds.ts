// The bounds of one input: what it may take of time and memory, by its size.
import fs from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Milliseconds of processor time, of all threads, that an input may take: what else runs on the machine does not count. */
const MOST_MS = 2000;

/** Bytes of memory that an input may take: so many times its size, and a constant. */
const [TIMES, CONSTANT] = [20, 64 * 2 ** 20];

/** An input that exceeds its bounds is run again so often: a busy machine or old garbage does not exceed them twice. */
const RETRIES = 3;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of the status line `field` of this process. */
function statusOf(field: string): number {
  const line = new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(fs.readFileSync('/proc/self/status', 'utf8'));
  return line === null ? 0 : 1024 * Number(line[1]);
}

/** Sets the peak of this process's memory to its present value. @returns whether the system can do that. */
function resetPeak(): boolean {
  try {
    fs.writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false; // no Linux: the memory after the input is measured, not the peak
  }
}

/** What an input took. */
async function measure(run: () => void | Promise<void>): Promise<{ ms: number; bytes: number }> {
  const hasPeak = resetPeak();
  const before = hasPeak ? statusOf('VmHWM') : process.memoryUsage.rss();
  const start = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(start);
  const after = hasPeak ? statusOf('VmHWM') : process.memoryUsage.rss();
  return { ms: (user + system) / 1000, bytes: after - before };
}

/**
 * Runs an input of `size` bytes, and compares what it took with what it may take.
 * @throws Error when it exceeds a bound at each of some tries; whatever `run` throws.
 */
export async function withinBounds(size: number, run: () => void | Promise<void>): Promise<void> {
  const most = TIMES * size + CONSTANT;
  for (let tries = 0; ; tries++) {
    const { ms, bytes } = await measure(run);
    if (ms <= MOST_MS && bytes <= most) return;
    if (tries === RETRIES)
      throw new Error(
        `An input of ${size} bytes took ${ms.toFixed(0)} ms and ${(bytes / 1e6).toFixed(1)} MB. ` +
          `It may take ${MOST_MS} ms and ${(most / 1e6).toFixed(1)} MB.`,
      );
    collectGarbage();
  }
}
