// The claims of the figures in numbers, by hand.
import assert from 'node:assert/strict';
import type { CkaRow } from '../../../src/analysis/representations';
import type { LowLevelRow } from '../../../src/analysis/low-level';
import {
  ckaClaims,
  ckaTable,
  distanceClaims,
  distanceTable,
  gradientClaims,
  gradientTable,
  lowLevelClaims,
  lowLevelTable,
} from '../../../src/studies/rifle/figure-claims';
import { claimText } from '../../../src/report/figures/claims';
import { layeredGroups } from '../../../src/report/figures/layered-groups';
import type { LayeredRun } from '../../../src/report/frames/layer-frames';
import { layerDistanceFigure } from '../../../src/report/figures/layer-figures';
import { syntheticLayers } from '../../report/layers';

const near = (found: number, expected: number): void =>
  assert.ok(Math.abs(found - expected) < 1e-9 * Math.abs(expected), `expected ${expected}, found ${found}`);

/**
 * Runs of 8 epochs, RIFLE's with a reset after 4, in which every number is 1, but RIFLE's in seed s is `times[s]` at
 * the input side after the reset.
 */
function runsWith(times: readonly number[], loss = 0.01): LayeredRun[] {
  const study = syntheticLayers({ 'fine-tuning': times.map(() => 0.8), rifle: times.map(() => 0.8) });
  return study.map(({ record, layers }) => ({
    record: { ...record, epochs: record.epochs.map((row) => ({ ...row, trainCrossEntropy: loss })) },
    layers: layers.map((row) => {
      const value = record.method === 'rifle' && row.place === 0 && row.epoch > 4 ? times[record.spec.seed] : 1;
      return { ...row, gradientNorm: value, updateNorm: value, weightDistance: value };
    }),
  }));
}
const groupOf = (runs: readonly LayeredRun[]) => layeredGroups(runs).groups[0];

describe('claims of the figures', () => {
  it('F1: the ratio of distances after the last epoch, in the geometric mean, is claimed at the input side alone', () => {
    const claims = distanceClaims(groupOf(runsWith([2, 8])));
    assert.deepEqual(
      claims.map(({ of, verdict }) => [of, verdict]),
      [
        ['1 convolution, conv_stem to conv_stem (input side)', 'inconclusive'],
        ['1 convolution, 0 depthwise to 0 depthwise', null],
        ['1 convolution, 0 project to 0 project', null],
        ['head', null],
      ],
    );
    near(claims[0].value!, 4);
    // t(0.975, 1) = 12.7062; the logarithms are ln 2 and ln 8, so that the interval's half width is 12.7062 ln(4) / 2.
    near(claims[0].interval!.high, 4 * Math.exp((12.706204736432095 * Math.log(4)) / 2));
    assert.deepEqual([claims[1].value, claims[0].pairs], [1, 2]);
    assert.equal(distanceClaims(groupOf(runsWith([2, 2.01, 2.02])))[0].verdict, 'supported');
    assert.equal(distanceClaims(groupOf(runsWith([0.5, 0.51, 0.52])))[0].verdict, 'contradicted');
  });

  it('F1 and F2: no verdict, and the measured loss, where training has not converged before the reset', () => {
    const [held, open] = [0.049, 0.051].map((loss) => groupOf(runsWith([2, 2.01, 2.02], loss)));
    for (const claims of [distanceClaims, gradientClaims]) {
      assert.deepEqual([claims(held)[0].verdict, claims(held)[0].precondition!.holds], ['supported', true]);
      assert.deepEqual([claims(open)[0].verdict, claims(open)[0].precondition!.holds], [null, false]);
    }
    assert.match(
      claimText(gradientClaims(held)),
      /Verdict: supported.* below 0\.05 .* measured 0\.049, from 0\.049 to/,
    );
    assert.match(
      claimText(gradientClaims(open)),
      /^ Precondition, rifle: .* measured 0\.051.* does not hold: no verdict/,
    );
    assert.match(distanceTable(runsWith([2, 2.01, 2.02], 0.051)).notes[0], /does not hold/);
  });

  it('F2: gradients count after the first reset alone', () => {
    const runs = runsWith([3, 3]);
    near(gradientClaims(groupOf(runs))[0].value!, 3);
    const before = runs.map(({ record, layers }) => ({
      record,
      layers: layers.map((row) => ({ ...row, gradientNorm: row.epoch <= 4 ? 99 : row.gradientNorm })),
    }));
    near(gradientClaims(groupOf(before))[0].value!, 3);
  });

  it('F4 and F5: differences over the seeds that both have, and the claim over the early half, or all stages', () => {
    const stages = ['none', 'stem', 'stage1', 'stage2', 'stage3'];
    const kept = (method: string, seed: number, gain: number): LowLevelRow[] =>
      stages.map((stage, k) => ({
        run: '',
        method,
        seed,
        kept: k,
        stage,
        top1: 0.5 + (k === 0 ? 0 : gain * k),
        trainTop1: 1,
        iterations: 1,
        gradient: 0,
      }));
    const low = lowLevelClaims([
      ...kept('fine-tuning', 0, 0.01),
      ...kept('fine-tuning', 1, 0.01),
      ...kept('rifle', 0, 0.02),
      ...kept('rifle', 1, 0.03),
      ...kept('rifle', 7, 0.9),
    ]);
    assert.deepEqual(
      low.map(({ of, pairs, verdict }) => [of, pairs, verdict]),
      [
        ...stages.slice(1).map((stage) => [`kept up to ${stage}`, 2, null]),
        ['kept up to each of the first 2 stages', 2, 'inconclusive'],
      ],
    );
    // 1 and 2 points a stage: at k = 1, 2 the means of a seed are 1.5 and 3.
    near(low[4].value!, 2.25);
    near(low[3].value!, 6);

    const cka = (method: string, seed: number, value: number): CkaRow[] =>
      ['stem', 'stage1'].map((stage, place) => ({
        run: '',
        method,
        seed,
        stage,
        place,
        images: 9,
        features: 2,
        cka: value - 0.1 * place,
        unbiased: null,
      }));
    const moved = ckaClaims([...cka('l2-sp', 0, 0.9), ...cka('l2-sp+rifle', 0, 0.7), ...cka('rifle', 0, 0.5)], 'cka');
    assert.deepEqual(
      moved.map(({ method, control, of, interval, verdict }) => [method, control, of, interval, verdict]),
      [
        ['l2-sp+rifle', 'l2-sp', 'stem', null, null],
        ['l2-sp+rifle', 'l2-sp', 'stage1', null, null],
        ['l2-sp+rifle', 'l2-sp', 'all stages', null, 'inconclusive'],
      ],
    );
    near(moved[2].value!, 0.2);
    assert.equal(
      claimText(moved),
      ' Verdict: inconclusive; the CKA of l2-sp+rifle less that of l2-sp is −0.200 (all stages; 1 pair).',
    );
    assert.match(
      claimText(low),
      /the top-1 of rifle less that of fine-tuning is 2\.25 percentage points \(kept up to each of the first 2 stages; 2 pairs, 95 % interval −7\.28 to 11\.78\)/,
    );
    assert.deepEqual(ckaClaims(cka('fine-tuning', 0, 1), 'cka'), []);
    assert.equal(ckaTable([...cka('fine-tuning', 0, 0.9), ...cka('rifle', 0, 0.7)]).rows.length, 3);
    assert.equal(
      lowLevelTable([...kept('fine-tuning', 0, 0.01), ...kept('rifle', 0, 0.02)]).rows.at(-1)!.verdict,
      'inconclusive',
    );
  });

  it('stand in captions, and in a table with the rule', () => {
    const runs = runsWith([2, 8]);
    assert.equal(
      claimText(distanceClaims(groupOf(runs))).replace(/, 95 % interval.*/, ''),
      ' Verdict: inconclusive; the distance of rifle is 4.000 times that of fine-tuning (1 convolution, conv_stem to conv_stem (input side); 2 pairs',
    );
    const options = { claims: distanceClaims };
    assert.match(
      layerDistanceFigure(runs, options).caption,
      /Verdict: inconclusive; the distance of rifle is 4\.000 times/,
    );
    assert.doesNotMatch(layerDistanceFigure(runs, { ...options, epoch: 3 }).caption, /Verdict/);
    const table = distanceTable(runs);
    assert.equal(table.rows.length, 4);
    assert.deepEqual(Object.keys(table.rows[0]), ['method', 'control', 'of', 'pairs', 'value', 'interval', 'verdict']);
    near(gradientTable(runs).rows[0].value as number, 4);
    assert.match(table.notes[0], /^Precondition, rifle: .* It holds\.$/);
    assert.match(table.notes[1], /^Verdict on the mean paired difference: "supported" when/);
    assert.match(table.toText(100), /inconclusive/);
  });
});
