// The forest plot of a table of comparisons: each paired difference with its interval, and the pooled estimates.
import { KitError } from '../../base/errors';
import { QUIET_AXIS, tickStep } from '../drawing/axes';
import { INK } from '../drawing/figure-style';
import { figureLayout, headingOf, WIDER } from '../drawing/heading';
import { plotText } from '../drawing/plot-text';
import { textWidth } from '../drawing/text-metrics';
import { cellText, type Pair, type Row } from '../table/cells';
import { Table } from '../table/tabular';
import { Figure } from './figure';

/** Options of `forestFigure`. */
export interface ForestOptions {
  title?: string;
  /** Width of the figure in pixels. Default 760. */
  width?: number;
}

interface Entry {
  label: string;
  difference: number;
  interval: Pair | null;
  isPooled: boolean;
}

const DIFFERENCE = { key: 'difference', title: 'Difference', kind: 'number', signed: true } as const;
const INTERVAL = { key: 'interval', title: '95 % interval', kind: 'interval', signed: true } as const;

/** Height of a row, px; and the room below the last, for the axis. */
const [ROW, BELOW] = [24, 56];

/**
 * A row for each comparison of `table` (made by `comparisonTable`) that has a difference: the mean as a square, its
 * 95 % interval as a line, pooled estimates as diamonds; numbers at the right.
 * @throws KitError FIGURE_NO_ROWS for a table without a difference.
 */
export function forestFigure(table: Table, options: ForestOptions = {}): Figure {
  const { title = `${table.title}: differences`, width = 760 } = options;
  const rows = [...new Map(table.rows.map((row) => [keyOf(row), row])).values()];
  const entries = entriesOf(rows);
  if (entries.length === 0)
    throw new KitError(`The table "${table.title}" has no difference to draw.`, {
      code: 'FIGURE_NO_ROWS',
      fix: 'Give runs of both sides that share a seed.',
    });
  const pooled = entries.some(({ isPooled }) => isPooled);
  const subtitle =
    'paired difference of test top-1, percentage points, with its 95 % interval' +
    (pooled ? '; diamonds: all data sets, random effects' : '');
  const caption = `${title}. Squares: mean over seeds of the ${subtitle}. ${table.caption}`;
  return new Figure({
    title,
    caption,
    ...draw(entries, { title, subtitle, width }),
    numbers: new Table({
      title,
      caption,
      columns: [{ key: 'label', title: 'Comparison' }, DIFFERENCE, INTERVAL, { key: 'kind', title: 'Kind' }],
      rows: entries.map(({ label, difference, interval, isPooled }) => ({
        label,
        difference,
        interval,
        kind: isPooled ? 'pooled' : 'one data set',
      })),
      notes: [],
    }),
  });
}

const keyOf = ({ dataset, backbone, settings, treated, control }: Row): string =>
  JSON.stringify([dataset, backbone, settings, treated, control]);

/** Conditions as far as they differ, then the methods; pooled rows last. */
function entriesOf(rows: readonly Row[]): Entry[] {
  const differing = (['dataset', 'backbone', 'settings'] as const).filter((key) =>
    rows.some((row) => row.status !== 'pooled' && row[key] !== rows[0][key]),
  );
  const entries = rows.flatMap((row): Entry[] => {
    const { difference, interval, treated, control, status } = row;
    if (typeof difference !== 'number') return [];
    const isPooled = status === 'pooled';
    const where = differing
      .map((key) => row[key])
      .filter((value) => value !== null && !(isPooled && value === 'several'));
    const sides = `${String(treated ?? row.method)} − ${String(control ?? 'control')}`;
    return [{ label: [...where, sides].join(' · '), difference, interval: interval as Pair | null, isPooled }];
  });
  return [...entries.filter(({ isPooled }) => !isPooled), ...entries.filter(({ isPooled }) => isPooled)];
}

function draw(
  entries: readonly Entry[],
  { title, subtitle, width }: { title: string; subtitle: string; width: number },
): { data: Record<string, unknown>[]; layout: { width: number; height: number } & Record<string, unknown> } {
  const numbers = entries.map(
    ({ difference, interval }) => `${cellText(difference, DIFFERENCE)} ${interval ? cellText(interval, INTERVAL) : ''}`,
  );
  const room = (texts: readonly string[], most: number): number =>
    Math.min(most, 14 + Math.max(...texts.map((text) => WIDER * textWidth(text, 11))));
  const isNarrow = width < 600;
  const left = isNarrow
    ? 16
    : room(
        entries.map(({ label }) => label),
        0.45 * width,
      );
  const right = isNarrow ? 16 : room(numbers, 0.3 * width);
  const step = isNarrow ? 2 * ROW : ROW; // on a phone the label stands above its line
  const heading = headingOf(title, subtitle, width, left);
  const plotHeight = entries.length * step;
  const { annotations, ...frame } = figureLayout(heading, {
    width,
    height: heading.height + plotHeight + BELOW,
    top: heading.height,
    right,
    bottom: BELOW,
    left,
  });
  const ends = entries.flatMap(({ difference, interval }) => [difference, interval?.[0] ?? 0, interval?.[1] ?? 0, 0]);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const margin = 0.06 * (high - low || 1);
  const at = (i: number): number => entries.length - i - (isNarrow ? 0.75 : 0.5);
  const text = (i: number, shown: string, side: 'left' | 'right'): object => ({
    xref: 'paper',
    yref: 'y',
    x: side === 'left' ? 0 : 1,
    y: isNarrow ? at(i) + 0.45 : at(i),
    xanchor: isNarrow ? side : side === 'left' ? 'right' : 'left',
    yanchor: 'middle',
    xshift: isNarrow ? 0 : side === 'left' ? -6 : 6,
    showarrow: false,
    text: plotText(shown),
    font: { size: 11, color: INK.text },
  });
  const trace = (isPooled: boolean): Record<string, unknown> => {
    const own = entries.map((entry, i) => ({ ...entry, y: at(i) })).filter((entry) => entry.isPooled === isPooled);
    const color = isPooled ? INK.text : '#0072B2';
    return {
      type: 'scatter',
      mode: 'markers',
      name: isPooled ? 'all data sets' : 'one data set',
      x: own.map(({ difference }) => difference),
      y: own.map(({ y }) => y),
      error_x: {
        type: 'data',
        symmetric: false,
        array: own.map(({ difference, interval }) => (interval?.[1] ?? difference) - difference),
        arrayminus: own.map(({ difference, interval }) => difference - (interval?.[0] ?? difference)),
        color,
        thickness: 1.5,
        width: 0,
      },
      marker: { color, size: isPooled ? 11 : 8, symbol: isPooled ? 'diamond' : 'square' },
      hovertemplate: '%{x:.2f}<extra></extra>',
    };
  };
  const line = (x: number, dash: string): object => ({
    type: 'line',
    xref: 'x',
    yref: 'paper',
    x0: x,
    x1: x,
    y0: 0,
    y1: 1,
    layer: 'below',
    line: { color: INK.axis, width: 1, dash },
  });
  const span = high - low + 2 * margin;
  return {
    data: [false, true].filter((kind) => entries.some(({ isPooled }) => isPooled === kind)).map(trace),
    layout: {
      ...frame,
      hovermode: 'closest',
      shapes: [line(0, 'solid')],
      annotations: [
        ...annotations,
        ...entries.flatMap(({ label }, i) => [text(i, label, 'left'), text(i, numbers[i], 'right')]),
      ],
      xaxis: {
        ...QUIET_AXIS,
        range: [low - margin, high + margin],
        dtick: tickStep(span, (width - left - right) / 60),
        tick0: 0,
        title: { text: 'difference (percentage points)', standoff: 8, font: { size: 12 } },
      },
      yaxis: { range: [0, entries.length], showgrid: false, zeroline: false, showticklabels: false, ticks: '' },
    },
  };
}
