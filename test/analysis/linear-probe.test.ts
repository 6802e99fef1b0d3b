// The linear probe against Newton's method in numpy, a case by hand, and itself.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { FeatureMatrix } from '../../src/analysis/cka';
import { fitProbe, probeClasses, probeTop1 } from '../../src/analysis/linear-probe';
import { packageRoot } from '../../src/base/home';
import { tf } from '../../src/engine/tensorflow';
import { hasCode } from '../report/code';

interface GoldenProbe {
  l2: number;
  classes: number;
  examples: number;
  features: number;
  labels: number[];
  x: number[];
  weight: number[];
  bias: number[];
  other: number[];
  given: number[];
  top1: number;
}
const { cases } = JSON.parse(
  fs.readFileSync(path.join(packageRoot(), 'test/fixtures/analysis/linear-probe.json'), 'utf8'),
) as { cases: Record<string, GoldenProbe> };

describe('fitProbe', function () {
  this.timeout(60_000);
  let tensors = 0;
  before(() => (tensors = tf.memory().numTensors));
  afterEach(() => assert.equal(tf.memory().numTensors, tensors, 'nothing leaks'));

  for (const [name, golden] of Object.entries(cases)) {
    it(`finds the minimum that Newton's method finds, with ${name}`, async () => {
      const { examples, features, classes, l2 } = golden;
      const matrix = (values: number[]): FeatureMatrix => ({ examples, features, values: Float32Array.from(values) });
      const labels = Int32Array.from(golden.labels);
      const fit = () => fitProbe(matrix(golden.x), labels, classes, { l2, tolerance: 1e-6, iterations: 20_000 });
      const probe = await fit();
      assert.ok(probe.gradient <= 1e-6, `the gradient fell to ${probe.gradient} in ${probe.iterations} iterations`);
      golden.weight.forEach((expected, i) =>
        assert.ok(
          Math.abs(probe.weight[i] - expected) < 2e-4,
          `weight ${i}: expected ${expected}, found ${probe.weight[i]}`,
        ),
      );
      golden.bias.forEach((expected, i) =>
        assert.ok(Math.abs(probe.bias[i] - expected) < 2e-4, `bias ${i}: expected ${expected}, found ${probe.bias[i]}`),
      );
      assert.deepEqual([...probeClasses(probe, matrix(golden.other))], golden.given);
      assert.equal(probeTop1(probe, matrix(golden.other), labels), golden.top1);
      assert.deepEqual(await fit(), probe, 'the same every time');
    });
  }

  it('gives by hand: one feature, two classes, one image each', async () => {
    // Standardised to -1 and 1. By symmetry W = [-w, w], b = 0, logit difference 2w: the slope is 2 (sigmoid(2w) - 1) +
    // 2 l2 w = 0.
    const l2 = 0.5;
    let w = 0;
    for (let i = 0; i < 200; i++) w = (1 - 1 / (1 + Math.exp(-2 * w))) / l2 / 2 + w / 2;
    const probe = await fitProbe({ examples: 2, features: 1, values: Float32Array.of(3, 7) }, Int32Array.of(0, 1), 2, {
      l2,
      tolerance: 1e-6,
    });
    assert.deepEqual([[...probe.mean], [...probe.std]], [[5], [2]]);
    assert.ok(
      Math.abs(probe.weight[1] - w) < 1e-5 && Math.abs(probe.weight[0] + w) < 1e-5,
      `expected ${w}, found ${[...probe.weight].join(', ')}`,
    );
    assert.ok(probe.bias.every((bias) => Math.abs(bias) < 1e-6));
  });

  it('refuses what does not fit together, and stops when it is told to', async () => {
    const two: FeatureMatrix = { examples: 2, features: 1, values: Float32Array.of(3, 7) };
    await assert.rejects(fitProbe(two, Int32Array.of(0), 2), hasCode('PROBE_LABELS_MISMATCH'));
    await assert.rejects(fitProbe(two, Int32Array.of(0, 2), 2), hasCode('PROBE_LABEL_RANGE'));
    await assert.rejects(fitProbe(two, Int32Array.of(0, 1), 2, { l2: 0 }), hasCode('PROBE_L2'));
    const reason = new Error('enough');
    await assert.rejects(fitProbe(two, Int32Array.of(0, 1), 2, { signal: AbortSignal.abort(reason) }), reason);
    const probe = await fitProbe(two, Int32Array.of(0, 1), 2);
    assert.throws(
      () => probeClasses(probe, { examples: 1, features: 2, values: new Float32Array(2) }),
      hasCode('PROBE_FEATURES_MISMATCH'),
    );
  });
});
