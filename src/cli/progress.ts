// Shows the progress of long tasks on stderr: bars with the time left on a terminal, a line now and then elsewhere.
import { MultiBar, type SingleBar } from 'cli-progress';
import pc from 'picocolors';
import { Pace, type OnProgress, type Progress } from '../base/progress';
import { visible } from '../base/visible';
import { interruptible } from './interrupt';

export { duration } from '../base/progress';

/** A display of progress; `stop` must be called before anything else is printed. */
export interface ProgressDisplay {
  onProgress: OnProgress;
  stop(): void;
}

/** Bars on a terminal, lines elsewhere, nothing when `quiet`. */
function showProgress({ quiet = false }: { quiet?: boolean } = {}): ProgressDisplay {
  if (quiet) return { onProgress: () => undefined, stop: () => undefined };
  const { onProgress, stop } = process.stderr.isTTY ? bars() : lines();
  return { onProgress: (progress) => onProgress(visibleProgress(progress)), stop };
}

/**
 * Does `work` with a display of its progress and a signal that Ctrl-C aborts. The display has stopped when this returns
 * or throws.
 */
export async function withProgress<T>(
  quiet: boolean | undefined,
  work: (options: { onProgress: OnProgress; signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const display = showProgress({ quiet });
  try {
    return await work({ onProgress: display.onProgress, signal: interruptible() });
  } finally {
    display.stop();
  }
}

/** Names from outside (files, data sets, answers of servers) on one line, without control characters. */
export function visibleProgress({ task, detail, unit, ...numbers }: Progress): Progress {
  const line = (text: string): string => visible(text, 120).replace(/[\n\t]/g, ' ');
  return {
    ...numbers,
    unit: line(unit),
    task: line(task),
    ...(detail === undefined ? {} : { detail: line(detail) }),
  };
}

function amount({ done, total, unit }: Progress): string {
  if (unit === 'bytes') return `${(done / 1e6).toFixed(1)}/${(total / 1e6).toFixed(1)} MB`;
  return `${done}/${total} ${unit}`;
}

function bars(): ProgressDisplay {
  const multi = new MultiBar({
    format: `{task} ${pc.cyan('{bar}')} {percentage} % · {amount}{left}{detail}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: false,
    fps: 5,
    stream: process.stderr,
    gracefulExit: false,
  });
  const shown = new Map<string, { bar: SingleBar; pace: Pace }>();
  return {
    onProgress(progress) {
      let entry = shown.get(progress.task);
      if (entry === undefined) {
        entry = {
          bar: multi.create(progress.total, progress.done, {
            task: progress.task.padEnd(24),
            amount: '',
            left: '',
            detail: '',
          }),
          pace: new Pace(),
        };
        shown.set(progress.task, entry);
      }
      const { bar, pace } = entry;
      pace.note(progress);
      const time = progress.done >= progress.total ? '' : pace.timeLeft(progress);
      bar.setTotal(progress.total);
      bar.update(progress.done, {
        amount: amount(progress),
        left: time === '' ? '' : ` · ${pc.bold(time)}`,
        detail: progress.detail ? ` · ${progress.detail}` : '',
      });
    },
    stop: () => multi.stop(),
  };
}

/** Seconds between two lines of one task. */
const LINE_EVERY = 10;

function lines(): ProgressDisplay {
  const shown = new Map<string, { pace: Pace; at: number; over: boolean }>();
  return {
    onProgress(progress) {
      const now = performance.now() / 1000;
      const entry = shown.get(progress.task) ?? { pace: new Pace(), at: -Infinity, over: false };
      shown.set(progress.task, entry);
      entry.pace.note(progress);
      const over = progress.done >= progress.total;
      if (entry.over && !over) entry.at = -Infinity;
      const isDue = over ? !entry.over : now - entry.at >= LINE_EVERY;
      entry.over = over;
      if (!isDue) return;
      entry.at = now;
      const percent = `${progress.task}: ${Math.floor((100 * progress.done) / Math.max(1, progress.total))} %`;
      const parts = [percent, amount(progress), over ? 'done' : entry.pace.timeLeft(progress), progress.detail ?? ''];
      process.stderr.write(`${parts.filter((part) => part !== '').join(' · ')}\n`);
    },
    stop: () => undefined,
  };
}
