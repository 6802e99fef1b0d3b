// The curves of runs that are still training: loss and accuracy of each run, with marks where it is reset.
import { colorOf, seriesStyle } from '../drawing/figure-style';
import { drawLinePanels } from '../drawing/line-panels';
import type { Line, LinePanel } from '../drawing/panel';
import { Figure } from './figure';

/** The numbers of an epoch that are drawn. */
export interface LiveRow {
  /** 1-based. */
  epoch: number;
  /** Nats. */
  trainCrossEntropy: number;
  /** In [0, 1]; NaN of an epoch without evaluation. */
  top1: number;
  /** Whether the head was re-initialised after this epoch. */
  headReset: boolean;
}

/** A run so far. */
export interface LiveRun {
  method: string;
  seed: number;
  /** How many it will have. */
  epochs: number;
  rows: readonly LiveRow[];
}

/** A figure of the runs so far: one line a run in each of two panels. No clock, no chance. */
export function liveCurvesFigure(runs: readonly LiveRun[], { width = 760 }: { width?: number } = {}): Figure {
  const last = Math.max(1, ...runs.map(({ epochs }) => epochs));
  const marks = runs.flatMap(({ method, epochs, rows }) =>
    rows
      .filter(({ epoch, headReset }) => headReset && epoch < epochs)
      .map(({ epoch }) => ({ x: epoch + 0.5, color: colorOf(method) })),
  );
  const panel = (title: string, of: (row: LiveRow) => number, digits: number): LinePanel => ({
    title: null,
    lines: runs.map((run, i) => lineOf(run, runs.slice(0, i), runs.slice(i + 1), of, digits)),
    marks,
    x: { title: 'epoch', range: [0.5, last + 0.5], places: last },
    y: { title, scale: 'linear', format: `.${digits}f` },
  });
  const legend = marks.length > 0 ? 'one line a run; dashed: the head is re-initialised' : 'one line a run';
  const title = 'Training as it goes';
  const drawing = drawLinePanels({
    title,
    subtitle: legend,
    panels: [
      panel('training loss (nats)', (row) => row.trainCrossEntropy, 3),
      panel('top-1 (%)', (row) => 100 * row.top1, 1),
    ],
    columns: width >= 600 ? 2 : 1,
    width,
    panelHeight: 210,
    y: { title: '', scale: 'linear', format: '.3f' },
  });
  const state = runs.map(({ method, seed, epochs, rows }) => {
    const row = rows.at(-1);
    const numbers = row ? `, loss ${row.trainCrossEntropy.toFixed(3)}, top-1 ${(100 * row.top1).toFixed(1)} %` : '';
    return `${method} seed ${seed}: epoch ${row?.epoch ?? 0}/${epochs}${numbers}`;
  });
  return new Figure({ title, caption: state.join('\n'), ...drawing });
}

function lineOf(
  { method, seed, rows }: LiveRun,
  before: readonly LiveRun[],
  after: readonly LiveRun[],
  of: (row: LiveRow) => number,
  digits: number,
): Line {
  const drawn = rows.filter((row) => Number.isFinite(of(row)));
  const mean = drawn.map(of);
  // Of the runs of one method the last is labelled.
  const isLabelled = mean.length > 0 && !after.some((run) => run.method === method);
  return {
    name: `${method} seed ${seed}`,
    label: isLabelled ? `${method} ${mean.at(-1)!.toFixed(digits)}` : '',
    color: colorOf(method),
    style: seriesStyle(before.filter((run) => run.method === method).length),
    x: drawn.map(({ epoch }) => epoch),
    mean,
    low: mean,
    high: mean,
    band: false,
  };
}
