// Linear CKA against numpy, and what must be so by its definition.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { ckaEstimates, linearCka, type FeatureMatrix } from '../../src/analysis/cka';
import { packageRoot } from '../../src/base/home';
import { randomStream } from '../../src/base/random';
import { hasCode } from '../report/code';

interface GoldenMatrix {
  shape: [number, number];
  values: number[];
}
const golden = JSON.parse(fs.readFileSync(path.join(packageRoot(), 'test/fixtures/analysis/cka.json'), 'utf8')) as {
  cases: Record<string, { x: GoldenMatrix; y: GoldenMatrix; cka: number; unbiased: number }>;
};
const matrixOf = ({ shape: [examples, features], values }: GoldenMatrix): FeatureMatrix => ({
  examples,
  features,
  values: Float32Array.from(values),
});

function drawn(examples: number, features: number, seed: number): FeatureMatrix {
  const stream = randomStream(seed, 'test');
  return { examples, features, values: Float32Array.from({ length: examples * features }, () => stream.normal()) };
}

describe('linearCka', () => {
  for (const [name, { x, y, ...expected }] of Object.entries(golden.cases)) {
    it(`gives numpy's two estimates of representations ${name}`, () => {
      for (const found of [ckaEstimates(matrixOf(x), matrixOf(y)), ckaEstimates(matrixOf(y), matrixOf(x))]) {
        for (const estimate of ['cka', 'unbiased'] as const) {
          assert.ok(
            Math.abs(found[estimate]! - expected[estimate]) < 1e-9,
            `${estimate}: expected ${expected[estimate]}, found ${found[estimate]}`,
          );
        }
      }
    });
  }

  it('is 1 for a rotation, shift and scaling, and well below for others', () => {
    const x = drawn(40, 2, 1);
    const [cos, sin] = [Math.cos(0.7), Math.sin(0.7)];
    const values = Float64Array.from(x.values, (_, i) => {
      const [a, b] = [x.values[2 * Math.floor(i / 2)], x.values[2 * Math.floor(i / 2) + 1]];
      return 3 * (i % 2 === 0 ? cos * a - sin * b : sin * a + cos * b) + 5;
    });
    assert.ok(Math.abs(linearCka(x, { ...x, values }) - 1) < 1e-12);
    assert.ok(linearCka(x, drawn(40, 2, 2)) < 0.3);
    const few = ckaEstimates(drawn(40, 300, 5), drawn(40, 300, 6));
    assert.ok(
      few.cka > 0.8 && Math.abs(few.unbiased!) < 0.1,
      `of noise with few examples the paper's estimate is high, the unbiased one about 0: ${JSON.stringify(few)}`,
    );
  });

  it('is the same by features and by examples: by hand where one feature is compared with one, the squared correlation', () => {
    const column = (values: number[]): FeatureMatrix => ({
      examples: values.length,
      features: 1,
      values: Float64Array.from(values),
    });
    // Deviations (-1, 0, 1) and (-1, 1, 0): (1 + 0 + 0)^2 / (2 * 2).
    assert.ok(Math.abs(linearCka(column([4, 5, 6]), column([1, 3, 2])) - 0.25) < 1e-15);
    // 30 features of 5 copies of 10 examples: 50 examples take the form by features, 10 that by examples, and copies
    // change no mean product.
    const [x, y] = [drawn(10, 30, 3), drawn(10, 29, 4)];
    const copied = ({ examples, features, values }: FeatureMatrix): FeatureMatrix => ({
      examples: 5 * examples,
      features,
      values: Float64Array.from({ length: 5 * values.length }, (_, i) => values[i % values.length]),
    });
    assert.ok(Math.abs(linearCka(x, y) - linearCka(copied(x), copied(y))) < 1e-12);
  });

  it('refuses what has no value', () => {
    assert.throws(() => linearCka(drawn(4, 2, 1), drawn(5, 2, 1)), hasCode('CKA_EXAMPLES_MISMATCH'));
    assert.throws(
      () => linearCka(drawn(4, 2, 1), { examples: 4, features: 2, values: new Float32Array(8).fill(0.1) }),
      hasCode('CKA_CONSTANT'),
    );
    assert.equal(ckaEstimates(drawn(3, 2, 1), drawn(3, 2, 2)).unbiased, null);
    assert.throws(() => linearCka(drawn(1, 2, 1), drawn(1, 2, 1)), hasCode('CKA_MATRIX'));
    assert.throws(() => linearCka({ ...drawn(4, 2, 1), features: 3 }, drawn(4, 2, 1)), hasCode('CKA_MATRIX'));
  });
});
