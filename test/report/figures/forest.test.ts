// The forest plot: a row a comparison, pooled estimates by the random effects model, no text cut.
import assert from 'node:assert/strict';
import { pooledEffect } from '../../../src/analysis/statistics/pooled';
import { forestFigure } from '../../../src/report/figures/forest';
import type { Pair } from '../../../src/report/table/cells';
import { regularizersTable } from '../../../src/studies/rifle/study-tables';
import { hasCode } from '../code';
import { syntheticStudy } from '../records';
import { within } from '../within';

const on = (dataset: string, rifle: number[]) =>
  syntheticStudy({ 'fine-tuning': rifle.map(() => 0.8), rifle }, { dataset });

describe('forestFigure', function () {
  this.timeout(60_000);
  const table = regularizersTable([
    ...on('elpv', [0.82, 0.83, 0.825]),
    ...on('cub10', [0.81, 0.8, 0.815]),
    ...on('dtd10', [0.79, 0.81, 0.8]),
  ]);
  const figure = forestFigure(table);
  const rows = figure.numbers!.rows;

  it('has a row for each data set and the pooled estimate last, without rows that were not run', () => {
    assert.deepEqual(
      rows.map(({ label, kind }) => [label, kind]),
      [
        ['cub10 · rifle − fine-tuning', 'one data set'],
        ['dtd10 · rifle − fine-tuning', 'one data set'],
        ['elpv · rifle − fine-tuning', 'one data set'],
        ['all data sets · rifle − fine-tuning', 'pooled'],
      ],
    );
  });

  it('pools means with their squared standard errors', () => {
    // differences cub10 1, 0, 1.5; dtd10 -1, 1, 0; elpv 2, 3, 2.5: variances 0.58333, 1 and 0.25, each divided by 3
    const expected = pooledEffect([
      { effect: 2.5 / 3, variance: 0.583333333 / 3 },
      { effect: 0, variance: 1 / 3 },
      { effect: 2.5, variance: 0.25 / 3 },
    ])!;
    const [low, high] = rows[3].interval as Pair;
    assert.ok(Math.abs((rows[3].difference as number) - expected.effect) < 1e-6);
    assert.ok(Math.abs(low - expected.interval.low) < 1e-6 && Math.abs(high! - expected.interval.high) < 1e-6);
    assert.ok(table.rows.some(({ status, verdict }) => status === 'pooled' && verdict === 'inconclusive'));
    assert.ok(table.notes.some((note) => note.includes('Hartung and Knapp')));
  });

  it('draws intervals as error bars, and cuts no text on a page or a phone', async () => {
    const [single, pooled] = figure.data as unknown as { x: number[]; error_x: { array: number[] } }[];
    assert.deepEqual([single.x.length, pooled.x.length], [3, 1]);
    assert.ok(Math.abs(single.x[2] + single.error_x.array[2] - (rows[2].interval as Pair)[1]!) < 1e-12);
    within(await figure.toSvg());
    within(await forestFigure(table, { width: 380 }).toSvg());
  });

  it('needs a difference', () => {
    assert.throws(() => forestFigure(regularizersTable([])), hasCode('FIGURE_NO_ROWS'));
  });
});
