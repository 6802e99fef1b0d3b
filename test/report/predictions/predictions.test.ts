// Figures and tables of kept predictions, against scikit-learn's numbers (data-scripts/golden/classification.py).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../../src/base/home';
import { classTable } from '../../../src/report/predictions/class-table';
import { confusionFigure, pooledPredictions } from '../../../src/report/predictions/confusion';
import { reliabilityFigure } from '../../../src/report/predictions/reliability';
import type { RunPredictions } from '../../../src/runs/store/predictions';

interface Case {
  classes: number;
  labels: number[];
  logits: number[];
  confusion: number[][];
  precision: number[];
  recall: number[];
  f1: number[];
  ece: number;
}
const { cases } = JSON.parse(
  fs.readFileSync(path.join(packageRoot(), 'test/fixtures/metrics/classification.json'), 'utf8'),
) as { cases: Record<string, Case> };

const golden = cases['ten classes'];
const predictions: RunPredictions = {
  classes: golden.classes,
  labels: Int32Array.from(golden.labels),
  logits: Float32Array.from(golden.logits),
  files: golden.labels.map((_, i) => `test/${i}.png`),
  classNames: Array.from({ length: golden.classes }, (_, i) => `kind ${i} <b>`),
  epoch: 3,
  evaluatedOn: 'test',
};

describe('confusionFigure', () => {
  it('counts as scikit-learn does, and draws a cell for each pair of classes', async () => {
    const figure = confusionFigure(predictions);
    const counts = figure.numbers!.rows.map(({ images }) => images);
    assert.deepEqual(counts, golden.confusion.flat());
    const shares = (figure.data[0] as { z: number[][] }).z;
    golden.recall.forEach((recall, label) => assert.ok(Math.abs(shares[label][label] - recall) < 1e-6));
    const svg = await figure.toSvg();
    assert.ok(svg.includes('kind 3') && !svg.includes('<b>'), 'names of classes are text');
  });

  it('leaves names out where there is no room for them', () => {
    const classes = 100;
    const many: RunPredictions = {
      ...predictions,
      classes,
      labels: Int32Array.from({ length: classes }, (_, i) => i),
      logits: Float32Array.from({ length: classes * classes }, (_, i) => (i % (classes + 1) === 0 ? 1 : 0)),
      files: Array.from({ length: classes }, (_, i) => String(i)),
      classNames: Array.from({ length: classes }, (_, i) => `kind ${i}`),
    };
    const { layout } = confusionFigure(many);
    assert.equal((layout.xaxis as { ticktext?: string[] }).ticktext, undefined);
    assert.equal((layout.annotations as { text: string }[]).filter(({ text }) => text === '1').length, 0);
  });

  it('adds up the runs of several seeds', () => {
    const both = confusionFigure(pooledPredictions([predictions, predictions]));
    assert.deepEqual(
      both.numbers!.rows.map(({ images }) => images),
      golden.confusion.flat().map((images) => 2 * images),
    );
  });
});

describe('reliabilityFigure', () => {
  it('has the calibration error of torchmetrics, and a bar for each bin with images', async () => {
    const figure = reliabilityFigure(predictions);
    assert.ok(figure.caption.includes(`error ${(100 * golden.ece).toFixed(1)} %`), figure.caption);
    const rows = figure.numbers!.rows as { images: number; accuracy: number; confidence: number }[];
    assert.equal(
      rows.reduce((sum, { images }) => sum + images, 0),
      golden.labels.length,
    );
    const error = rows.reduce((sum, row) => sum + row.images * Math.abs(row.accuracy - row.confidence), 0);
    assert.ok(Math.abs(error / golden.labels.length - golden.ece) < 1e-6);
    assert.match(await figure.toSvg(), /^<svg /);
  });
});

describe('classTable', () => {
  it('has the scores of scikit-learn, and the class that each is taken for most', () => {
    const { rows } = classTable(predictions);
    rows.forEach(({ recall, precision, f1, takenFor }, label) => {
      for (const [found, expected] of [
        [recall, golden.recall[label]],
        [precision, golden.precision[label]],
        [f1, golden.f1[label]],
      ])
        assert.ok(Math.abs((found as number) / 100 - (expected as number)) < 1e-6);
      const wrong = golden.confusion[label].map((count, predicted) => (predicted === label ? 0 : count));
      const most = Math.max(...wrong);
      if (most === 0) assert.equal(takenFor, null);
      else assert.ok(String(takenFor).endsWith(` (${most})`), String(takenFor));
    });
  });
});
