// Loss and accuracy while runs train, in one output that is updated in place.
import type { RunRecord } from '../../runs/store/record';
import { liveCurvesFigure, type LiveRow, type LiveRun } from '../../report/figures/live-curves';
import { methods } from '../../transfer/methods';
import type { RunSpec } from '../../transfer/spec/spec';
import { timetable } from '../../transfer/resets/reset';
import { bundleOf, inPlace, kernelPublish, type Publish } from '../display/display';

/** The output and the clock. Both have defaults. */
export interface LiveFigureOptions {
  /** Default: the kernel's; outside a kernel nothing is shown. */
  publish?: Publish | null;
  /** Milliseconds; default `performance.now`. */
  now?: () => number;
  /** Shortest time between two updates, milliseconds. Default 500. */
  interval?: number;
}

/** What `runAll` and `finetune` call. */
export interface LiveFigure {
  onEpoch(row: LiveRow, spec: RunSpec): void;
  /** Draws the run whole, also for those who have no plotly. Await it. */
  onRecord(record: Pick<RunRecord, 'method' | 'spec' | 'epochs'>): Promise<void>;
}

/**
 * Curves beside the progress bar: `runAll(specs, { ...liveFigure(), onProgress: progressBar() })`. Resets of the head
 * are marked. What remains at the end is the same for the same runs, whether they were trained now, resumed or reused.
 * After a single run: `await live.onRecord(await finetune(spec, { onEpoch: live.onEpoch }))`.
 */
export function liveFigure(options: LiveFigureOptions = {}): LiveFigure {
  const { publish = kernelPublish(), now = () => performance.now(), interval = 500 } = options;
  const replace = publish && inPlace(publish);
  const runs = new Map<string, LiveRun & { rows: LiveRow[] }>();
  let shownAt: number | null = null;
  const runOf = (spec: RunSpec, method = methods.nameOf(spec)): LiveRun & { rows: LiveRow[] } => {
    const name = JSON.stringify(spec);
    const known = runs.get(name);
    if (known !== undefined) return known;
    const run = { method, seed: spec.seed, epochs: timetable(spec).epochs, rows: [] };
    runs.set(name, run);
    return run;
  };
  const show = (bundle: Record<string, unknown>): void => {
    replace?.(bundle);
    shownAt = now();
  };
  return {
    onEpoch(row, spec) {
      const { rows } = runOf(spec);
      while (rows.length > 0 && rows.at(-1)!.epoch >= row.epoch) rows.pop(); // repeated after a failure
      rows.push(row);
      if (publish === null || (shownAt !== null && now() - shownAt < interval)) return;
      const figure = liveCurvesFigure([...runs.values()]);
      show({ 'application/vnd.plotly.v1+json': figure.toPlotlyJson(), 'text/plain': figure.toString() });
    },
    async onRecord({ method, spec, epochs }) {
      runOf(spec, method).rows = [...epochs];
      if (publish === null) return;
      show(await bundleOf(liveCurvesFigure([...runs.values()])));
    },
  };
}
