// Reports of long tasks, their pace, and times in words.

/** One report of a long task. The display computes the time left. */
export interface Progress {
  /** What is being done, for example `'decode elpv'`. One bar a task. */
  task: string;
  /** Units done so far, in [0, total]. */
  done: number;
  /** Units in all. */
  total: number;
  /** Name of a unit, plural: `'images'`, `'bytes'`, `'steps'`. */
  unit: string;
  /** A few words or figures on the state, for example `'loss 0.41'`. */
  detail?: string;
}

/** Receives the reports of a long task, in order. */
export type OnProgress = (progress: Progress) => void;

/** A length of time for people: `9 s`, `2 min 05 s`, `1 h 05 min`. Negative lengths count as none. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

/**
 * The time left of one task, from its pace since the first report: the time for what was done before is not known.
 * `total` and `done` may shrink (work that was finished before is taken out of both). The pace restarts when a finished
 * task begins again, or when less is done than at the first report.
 */
export class Pace {
  private began: number | null = null;
  private from = 0;
  private over = false;

  /** @param now a clock, milliseconds. Default `performance.now`. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Records a report. */
  note({ done, total }: Pick<Progress, 'done' | 'total'>): void {
    const isOver = done >= total;
    if (this.began === null || done < this.from || (this.over && !isOver)) {
      this.began = this.now();
      this.from = done;
    }
    this.over = isOver;
  }

  /** Seconds left; null before there is a pace. */
  secondsLeft({ done, total }: Pick<Progress, 'done' | 'total'>): number | null {
    const elapsed = this.began === null ? 0 : this.now() - this.began;
    if (done <= this.from || elapsed <= 0) return null;
    return (elapsed / 1000) * ((total - done) / (done - this.from));
  }

  /** `2 min 05 s left`; empty before there is a pace. */
  timeLeft(progress: Pick<Progress, 'done' | 'total'>): string {
    const seconds = this.secondsLeft(progress);
    return seconds === null ? '' : `${duration(seconds)} left`;
  }
}
