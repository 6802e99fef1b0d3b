// Shows the reports of long tasks: bars with the time left on a terminal, a line now and then elsewhere. Always on stderr.
import { MultiBar, type SingleBar } from 'cli-progress';
import pc from 'picocolors';
import type { OnProgress, Progress } from '../engine/progress';

/** A display of progress; `stop` must be called before anything else is printed. */
export interface ProgressDisplay {
  onProgress: OnProgress;
  stop(): void;
}

/** Bars on a terminal, lines elsewhere, nothing when `quiet`. */
export function showProgress({ quiet = false }: { quiet?: boolean } = {}): ProgressDisplay {
  if (quiet) return { onProgress: () => undefined, stop: () => undefined };
  return process.stderr.isTTY ? bars() : lines();
}

/** Seconds left of a task, from its own pace since it began; null before there is one. */
class Pace {
  private readonly began = performance.now();
  private readonly first: number;

  constructor(progress: Progress) {
    this.first = progress.done;
  }

  secondsLeft({ done, total }: Progress): number | null {
    if (done <= this.first) return null;
    return ((performance.now() - this.began) / 1000 / (done - this.first)) * (total - done);
  }
}

/** A length of time for people: `42 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const left = (seconds: number | null): string => (seconds === null ? '' : `${duration(seconds)} left`);

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
        entry = { bar: multi.create(progress.total, progress.done, { task: progress.task.padEnd(24), amount: '', left: '', detail: '' }), pace: new Pace(progress) };
        shown.set(progress.task, entry);
      }
      const { bar, pace } = entry;
      const over = progress.done >= progress.total;
      const time = over ? '' : left(pace.secondsLeft(progress));
      bar.setTotal(progress.total);
      bar.update(progress.done, { amount: amount(progress), left: time === '' ? '' : ` · ${pc.bold(time)}`, detail: progress.detail ? ` · ${progress.detail}` : '' });
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
      let entry = shown.get(progress.task);
      if (entry === undefined || (entry.over && progress.done < progress.total)) {
        entry = { pace: new Pace(progress), at: -Infinity, over: false };
        shown.set(progress.task, entry);
      }
      const over = progress.done >= progress.total;
      if (entry.over || (!over && now - entry.at < LINE_EVERY)) return;
      entry.at = now;
      entry.over = over;
      const parts = [`${progress.task}: ${Math.floor((100 * progress.done) / Math.max(1, progress.total))} %`, amount(progress), over ? 'done' : left(entry.pace.secondsLeft(progress)), progress.detail ?? ''];
      process.stderr.write(`${parts.filter((part) => part !== '').join(' · ')}\n`);
    },
    stop: () => undefined,
  };
}
