// Metrics of a classifier against scikit-learn's, and small cases by hand.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { KitError } from '../../src/base/errors';
import { packageRoot } from '../../src/base/home';
import { calibrationError, reliabilityBins } from '../../src/metrics/calibration';
import {
  classificationMetrics,
  classScores,
  confusedPairs,
  confusionMatrix,
  topAccuracy,
} from '../../src/metrics/classification';
import { argMax, softmax, topIndices } from '../../src/metrics/logits';

interface Case {
  classes: number;
  labels: number[];
  logits: number[];
  confusion: number[][];
  precision: number[];
  recall: number[];
  f1: number[];
  support: number[];
  top1: number;
  top5: number | null;
  macroF1: number;
  meanPerClass: number;
  nll: number;
  ece: number;
}
const { cases } = JSON.parse(
  fs.readFileSync(path.join(packageRoot(), 'test/fixtures/metrics/classification.json'), 'utf8'),
) as { cases: Record<string, Case> };

const near = (found: number, expected: number, what: string): void =>
  assert.ok(Math.abs(found - expected) <= 1e-6, `${what}: expected ${expected}, found ${found}`);

describe('classification metrics', () => {
  for (const [name, golden] of Object.entries(cases)) {
    it(`are those of scikit-learn: ${name}`, () => {
      const given = {
        logits: Float32Array.from(golden.logits),
        labels: Int32Array.from(golden.labels),
        classes: golden.classes,
      };
      const matrix = confusionMatrix(given);
      assert.deepEqual(matrix, golden.confusion);
      for (const [i, scores] of classScores(matrix).entries()) {
        near(scores.precision, golden.precision[i], 'precision');
        near(scores.recall ?? 0, golden.recall[i], 'recall');
        near(scores.f1, golden.f1[i], 'F1');
        assert.equal(scores.support, golden.support[i]);
        assert.equal(scores.recall === null, golden.support[i] === 0);
      }
      const found = classificationMetrics(given);
      for (const key of ['top1', 'macroF1', 'meanPerClass', 'nll', 'ece'] as const) near(found[key], golden[key], key);
      assert.equal(found.top5 === null, golden.top5 === null);
      if (golden.top5 !== null) near(found.top5!, golden.top5, 'top5');
      assert.equal(topAccuracy(given, 1), found.top1);
    });
  }

  it('puts every image into one bin, which holds its upper end', () => {
    // Two equal logits give exactly 1/2; a large gap gives exactly 1.
    const given = { logits: Float32Array.of(0, 0, 99, -999), labels: Int32Array.of(0, 1), classes: 2 };
    const bins = reliabilityBins(given, 4);
    assert.deepEqual(
      bins.map(({ images }) => images),
      [0, 1, 0, 1],
    );
    assert.deepEqual(bins[1], { low: 0.25, high: 0.5, images: 1, accuracy: 1, confidence: 0.5 });
    // (1/2) |1 - 1/2| + (1/2) |0 - 1|
    assert.equal(calibrationError(given, 4), 0.75);
  });

  it('orders confused pairs by count, then by share', () => {
    const matrix = [
      [5, 2, 0],
      [0, 8, 2],
      [1, 0, 1],
    ];
    assert.deepEqual(
      confusedPairs(matrix).map(({ label, predicted, count }) => [label, predicted, count]),
      [
        [0, 1, 2],
        [1, 2, 2],
        [2, 0, 1],
      ],
    );
    assert.equal(confusedPairs(matrix, 1)[0].share, 2 / 7);
  });

  it('takes the first of equal logits, and keeps softmax finite', () => {
    assert.equal(argMax([1, 3, 3]), 1);
    assert.deepEqual(topIndices([1, 3, 3, 2], 3), [1, 2, 3]);
    assert.deepEqual([...softmax([1e4, 1e4])], [0.5, 0.5]);
  });

  it('refuses sizes and labels that do not fit', () => {
    const refused = (logits: number[], labels: number[], classes: number): void =>
      assert.throws(
        () => classificationMetrics({ logits: Float32Array.from(logits), labels: Int32Array.from(labels), classes }),
        (error: KitError) => error instanceof KitError && error.code === 'METRICS_SHAPE',
      );
    refused([], [], 2);
    refused([1, 2, 3], [0, 1], 2);
    refused([1, 2], [2], 2);
  });
});
