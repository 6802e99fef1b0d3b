// What runs can show, and in which regime they are: by hand, and against statsmodels.
import assert from 'node:assert/strict';
import '../../../../src/studies/built-in';
import { powerTable } from '../../../../src/studies/rifle/design/power';
import { regimeFigure, regimePoints, regimeRuns, regimeTable } from '../../../../src/studies/rifle/design/regime';
import type { LayeredRun } from '../../../../src/report/frames/layer-frames';
import type { RunRecord } from '../../../../src/runs/store/record';
import { golden } from '../../../analysis/statistics/golden';
import { syntheticLayers } from '../../../report/layers';

const near = (found: unknown, expected: number, tolerance = 1e-9): void =>
  assert.ok(
    Math.abs(Number(found) - expected) <= tolerance * Math.abs(expected),
    `expected ${expected}, found ${found}`,
  );

/** Runs in which every number is 1, but RIFLE's gradient at the input side in the epoch after the reset: `times[seed]`. */
function runsOf(times: readonly number[], loss: number, epochs = 8): LayeredRun[] {
  const study = syntheticLayers(
    { 'fine-tuning': times.map(() => 0.8), rifle: times.map((_, i) => 0.8 + i / 100) },
    { epochs },
  );
  return study.map(({ record, layers }) => ({
    record: { ...record, epochs: record.epochs.map((row) => ({ ...row, trainCrossEntropy: loss })) },
    layers: layers.map((row) => {
      const isAfter = record.method === 'rifle' && row.place === 0 && row.epoch === epochs / 2 + 1;
      const value = isAfter ? times[record.spec.seed] : 1;
      return { ...row, gradientNorm: value, updateNorm: value, weightDistance: 1 };
    }),
  }));
}
const sourcesOf = (runs: readonly LayeredRun[]) => ({
  layers: (id: string) => runs.find(({ record }) => record.id === id)?.layers ?? [],
});
const recordsOf = (runs: readonly LayeredRun[]): RunRecord[] => runs.map(({ record }) => record);

describe('the regime of runs', () => {
  const runs = [...runsOf([2, 8], 0.3, 4), ...runsOf([16, 16], 0.01)];

  it('is a point for each setting: the loss before the reset, and the gradients after it', () => {
    const points = regimePoints(runs);
    assert.deepEqual(
      points.map(({ loss, pairs, first }) => [loss, pairs, Math.round(1e6 * first) / 1e6]),
      [
        [0.01, 2, 16],
        [0.3, 2, 4],
      ],
    );
    // one of four epochs after the reset, and one of two: 16 ** (1 / 4) and 4 ** (1 / 2)
    near(points[0].after, 2);
    near(points[1].after, 2);
    assert.deepEqual(
      regimeTable(runs).rows.map(({ loss }) => loss),
      [0.01, 0.3],
    );
    const { data, layout } = regimeFigure(runs);
    assert.deepEqual([data[0].x, (layout.xaxis as { type: string }).type], [[0.01, 0.3], 'log']);
  });

  it('needs two settings', () => {
    assert.equal(regimeRuns(recordsOf(runs), sourcesOf(runs)).length, 8);
    assert.equal(regimeRuns(recordsOf(runs.slice(4)), sourcesOf(runs)).length, 0);
  });
});

describe('what runs could show', () => {
  it('follows from the spread of their paired differences', () => {
    const runs = runsOf([2, 8, 4], 0.01);
    const rows = powerTable(recordsOf(runs), sourcesOf(runs)).rows;
    assert.deepEqual(
      rows.map(({ claim, pairs }) => [claim, pairs]),
      [
        ['accuracy, rifle', 3],
        ['F2, rifle', 3],
      ],
      'without a spread there is nothing to say: F1',
    );
    near(rows[0].spread, 1); // differences of 0, 1 and 2 points
    const { effect } = golden.detectable.find(({ n }) => n === 5)!; // by statsmodels
    near(rows[0].detectable5, effect, 1e-5);
    assert.equal(rows[0].needed, golden.sizes.find((size) => size.effect === 0.5)!.n);
    near(rows[1].spread, Math.log(2) / 4); // logarithms 1, 3 and 2 times ln 2, one of four epochs
    near(Math.log(Number(rows[1].detectable5)), (effect * Math.log(2)) / 4, 1e-5);
  });
});
