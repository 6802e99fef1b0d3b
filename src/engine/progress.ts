// What a long task tells whoever shows a bar.

/** One report of a long task; the time left is computed by whoever shows it. */
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
