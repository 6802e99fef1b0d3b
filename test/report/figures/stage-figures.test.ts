// The figures of stages: their lines, numbers and drawings.
import assert from 'node:assert/strict';
import type { LowLevelRow } from '../../../src/analysis/low-level';
import type { CkaRow } from '../../../src/analysis/representations';
import type { Figure } from '../../../src/report/figures/figure';
import { ckaFigure, lowLevelFigure } from '../../../src/report/figures/stage-figures';
import { within } from '../within';
import { hasCode } from '../code';

const STAGES = ['stem', 'stage1', 'stage2'];
const cka = (method: string, seed: number): CkaRow[] =>
  STAGES.map((stage, place) => ({
    run: `${method}${seed}`,
    method,
    seed,
    stage,
    place,
    images: 200,
    features: 8,
    cka: 1 - 0.1 * place,
    unbiased: 1 - 0.2 * place - 0.02 * seed,
  }));
const kept = (method: string, seed: number): LowLevelRow[] =>
  ['none', ...STAGES].map((stage, k) => ({
    run: `${method}${seed}`,
    method,
    seed,
    kept: k,
    stage,
    top1: 0.7 + 0.01 * k + 0.02 * seed,
    trainTop1: 1,
    iterations: 700,
    gradient: 1e-4,
  }));
const rowsOf = <T>(make: (method: string, seed: number) => T[]): T[] =>
  ['fine-tuning', 'rifle'].flatMap((method) => [0, 1].flatMap((seed) => make(method, seed)));
const ticks = ({ layout }: Figure): string[] => (layout.xaxis as { ticktext: string[] }).ticktext;

describe('ckaFigure', () => {
  const figure = ckaFigure(rowsOf(cka), { of: 'elpv' });

  it('draws the unbiased estimate where there is one, stage by stage, and the other on request', () => {
    assert.deepEqual(ticks(figure), STAGES);
    assert.match(figure.caption, /unbiased estimate\).* over 200 images, elpv: fine-tuning n = 2, rifle n = 2\./);
    const last = figure.numbers!.rows.at(-1)!;
    assert.deepEqual([last.method, last.place, last.stage, last.n], ['rifle', 2, 'stage2', 2]);
    [last.mean, last.low, last.high].forEach((found, i) =>
      assert.ok(Math.abs((found as number) - [0.59, 0.58, 0.6][i]) < 1e-12),
    );
    assert.equal(ckaFigure(rowsOf(cka), { estimate: 'cka' }).numbers!.rows.at(-1)!.mean, 0.8);
    assert.doesNotMatch(ckaFigure(cka('rifle', 0).map((row) => ({ ...row, unbiased: null }))).caption, /unbiased/);
    assert.throws(() => ckaFigure([]), hasCode('FIGURE_NO_ROWS'));
  });
});

describe('lowLevelFigure', function () {
  this.timeout(60_000);

  it('draws top-1 in percent against the stages kept, from none', () => {
    const figure = lowLevelFigure(rowsOf(kept));
    assert.deepEqual(ticks(figure), ['none', ...STAGES]);
    const [first] = figure.numbers!.rows;
    [first.mean, first.low, first.high].forEach((found, i) =>
      assert.ok(Math.abs((found as number) - [71, 70, 72][i]) < 1e-9),
    );
    assert.match(figure.toCsv(), /^method,place,stage,n,mean,low,high\nfine-tuning,0,none,2,/);
  });

  it('cuts no text, wide or narrow', async () => {
    within(await lowLevelFigure(rowsOf(kept), { of: 'elpv · efficientnet_lite0.tf_in1k' }).toSvg());
    within(await ckaFigure(rowsOf(cka), { width: 380 }).toSvg());
  });
});
