// Figures of stages: how far the features of each stage have moved, and how useful the early stages are.
import type { LowLevelRow } from '../../analysis/low-level';
import type { CkaRow } from '../../analysis/representations';
import { KitError } from '../../base/errors';
import { bandText, Figure, spreadOf, type CurveOptions } from './figure';
import { claimText, type FigureClaim } from './claims';
import { colorOf, seriesStyle } from '../drawing/figure-style';
import { drawLinePanels } from '../drawing/line-panels';
import type { Line } from '../drawing/panel';
import { capital } from '../comparison/notes';
import { Table } from '../table/tabular';

/** Options of the figures over stages. */
export interface StageFigureOptions extends CurveOptions {
  /** Data set and backbone of the rows, for the line under the title. Default empty. */
  of?: string;
  /** Claims whose verdicts stand in the caption. Default none. */
  claims?: readonly FigureClaim[];
}

/** A number of one run at one place of the axis. */
interface Point {
  method: string;
  seed: number;
  /** Position on the axis, and its name. */
  place: number;
  name: string;
  value: number;
}

interface StageAxes {
  title: string;
  x: string;
  y: string;
  digits: number;
  ceiling: number;
  /** The points, in a caption. */
  what: string;
}

/** Options of `ckaFigure`. */
export interface CkaFigureOptions extends StageFigureOptions {
  /**
   * Which estimate is drawn; both are in the numbers of `ckaByStage`. Default `unbiased` where all rows have it, else
   * `cka`.
   */
  estimate?: 'cka' | 'unbiased';
}

/** The estimate of CKA that is shown of some rows: `unbiased` where all have it. */
export const estimateOf = (rows: readonly CkaRow[]): 'cka' | 'unbiased' =>
  rows.every(({ unbiased }) => unbiased !== null) ? 'unbiased' : 'cka';

/**
 * CKA between the pretrained and the fine-tuned network at each stage, input side first: one line a method, mean
 * over seeds and a band. @throws KitError when there are no rows.
 */
export function ckaFigure(rows: readonly CkaRow[], options: CkaFigureOptions = {}): Figure {
  const estimate = options.estimate ?? estimateOf(rows);
  const points = rows.flatMap((row): Point[] =>
    row[estimate] === null ? [] : [{ ...row, name: row.stage, value: row[estimate] }],
  );
  const images = [...new Set(rows.map((row) => row.images))].join(' or ');
  return stageFigure(points, options, {
    title: 'What fine-tuning does to the features, stage by stage',
    x: 'stage, input side first',
    y: 'CKA with the pretrained features',
    digits: 3,
    ceiling: 1,
    what:
      `Linear CKA${estimate === 'unbiased' ? ' (unbiased estimate)' : ''} of each stage's pooled output before and ` +
      `after fine-tuning, over ${images} images`,
  });
}

/**
 * Test top-1 of a linear probe on a network whose first stages are the fine-tuned ones and whose others are
 * pretrained, against the number of stages kept; see `lowLevelFeatures` for the protocol. @throws KitError when there
 * are no rows.
 */
export function lowLevelFigure(rows: readonly LowLevelRow[], options: StageFigureOptions = {}): Figure {
  const points = rows.map((row): Point => ({ ...row, place: row.kept, name: row.stage, value: 100 * row.top1 }));
  return stageFigure(points, options, {
    title: 'What the early stages are worth',
    x: 'fine-tuned up to this stage, the rest pretrained',
    y: 'test top-1 of a linear probe (%)',
    digits: 1,
    ceiling: 100,
    what:
      'Test top-1 of a linear probe on the features of a network that is fine-tuned up to a stage and pretrained ' +
      'after it',
  });
}

function stageFigure(
  points: readonly Point[],
  { title: given, band = 'range', width = 760, of = '', claims = [] }: StageFigureOptions,
  axes: StageAxes,
): Figure {
  if (points.length === 0)
    throw new KitError('The figure has no rows to draw.', {
      code: 'FIGURE_NO_ROWS',
      fix: 'Compute them from runs whose weights were kept.',
    });
  const title = given ?? axes.title;
  const names = new Map([...points].sort((a, b) => a.place - b.place).map(({ place, name }) => [place, name]));
  const places = [...names.keys()];
  const methods = [...new Set(points.map(({ method }) => method))];
  const seedsOf = (method: string): number =>
    new Set(points.filter((point) => point.method === method).map(({ seed }) => seed)).size;
  const lines = methods.map((method): Line => {
    const own = places.map((place) =>
      points.filter((point) => point.method === method && point.place === place).map(({ value }) => value),
    );
    const there = places.map((_, i) => i).filter((i) => own[i].length > 0);
    const spread = spreadOf(
      there.map((i) => own[i]),
      band,
    );
    const n = seedsOf(method);
    return {
      name: `${method} (n = ${n})`,
      label: `${method} ${spread.mean[spread.mean.length - 1].toFixed(axes.digits)}`,
      color: colorOf(method),
      style: seriesStyle(0),
      x: there,
      ...spread,
      band: band !== 'none' && n > 1,
    };
  });
  const texts = places.map((place) => names.get(place)!);
  const vertical = Math.max(...texts.map((text) => text.length)) * 7 * texts.length > width - 180;
  const legend = bandText(band);
  const drawing = drawLinePanels({
    title,
    subtitle: [of, legend].filter(Boolean).join(' · '),
    panels: [
      {
        title: null,
        lines,
        marks: [],
        x: {
          title: axes.x,
          range: [-0.4, places.length - 0.6],
          places: places.length,
          ticks: { values: places.map((_, i) => i), texts, vertical },
        },
      },
    ],
    columns: 1,
    width,
    panelHeight: width >= 600 ? 300 : 210,
    y: { title: axes.y, scale: 'linear', format: `.${axes.digits}f`, ceiling: axes.ceiling },
  });
  const counts = methods.map((method) => `${method} n = ${seedsOf(method)}`).join(', ');
  const described = `${axes.what}${of === '' ? '' : `, ${of}`}: ${counts}`;
  const caption = `${title}. ${described}. ${capital(legend)}.${claimText(claims)}`;
  const numbers = new Table({
    title,
    caption,
    columns: [
      { key: 'method', title: 'Method', group: true },
      { key: 'place', title: 'Place', kind: 'number', digits: 0 },
      { key: 'stage', title: 'Stage' },
      { key: 'n', title: 'n', kind: 'number', digits: 0 },
      { key: 'mean', title: `Mean ${axes.y}`, kind: 'number', digits: 3 },
      { key: 'low', title: 'Low end of the band', kind: 'number', digits: 3 },
      { key: 'high', title: 'High end', kind: 'number', digits: 3 },
    ],
    rows: lines.flatMap((line, m) =>
      line.x.map((at, i) => ({
        method: methods[m],
        place: places[at],
        stage: texts[at],
        n: points.filter((point) => point.method === methods[m] && point.place === places[at]).length,
        mean: line.mean[i],
        low: line.low[i],
        high: line.high[i],
      })),
    ),
    notes: [],
  });
  return new Figure({ title, caption, ...drawing, numbers });
}
