// AdamW against torch.optim.AdamW (data-scripts/golden/adamw.py), eager and compiled.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../../src/base/home';
import { compile } from '../../../src/engine/compile';
import { tf, type TF } from '../../../src/engine/tensorflow';
import { adamw } from '../../../src/transfer/optimizers';
import { makeOptimizer } from '../../../src/transfer/optimizers/optimizer';

interface Golden {
  shapes: number[][];
  rates: number[];
  cases: {
    weightDecay: number;
    clipNorm: number | null;
    beta1?: number;
    beta2?: number;
    epsilon?: number;
    /** Joint norms of the gradients before clipping, by step. */
    norms: number[];
    parameters: number[][];
  }[];
}

const golden = JSON.parse(
  fs.readFileSync(path.join(packageRoot(), 'test', 'fixtures', 'transfer', 'adamw.json'), 'utf8'),
) as Golden;

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, 1);
const filled = (shape: readonly number[], of: (i: number) => number): Float32Array =>
  Float32Array.from({ length: sizeOf(shape) }, (_, i) => of(i));
const gradientOf = (k: number, t: number): Float32Array =>
  filled(golden.shapes[k], (i) => ((1 + t) / 4) * Math.cos(i + 3 * k + t));

function near(found: ArrayLike<number>, expected: readonly number[], what: string): void {
  expected.forEach((value, i) =>
    assert.ok(Math.abs(found[i] - value) < 2e-6, `${what}, element ${i}: found ${found[i]}, expected ${value}`),
  );
}

describe('AdamW', () => {
  for (const { parameters: expected, norms, ...options } of golden.cases)
    it(`gives torch's parameters after six steps with ${JSON.stringify(options)}`, async () => {
      const before = tf.memory().numTensors;
      const parameters = Object.fromEntries(
        golden.shapes.map((shape, k) => [
          `p${k}`,
          tf.tidy(() =>
            tf.variable(
              tf.tensor(
                filled(shape, (i) => Math.sin(i * i + k)),
                shape,
              ),
            ),
          ),
        ]),
      );
      const optimizer = makeOptimizer(adamw(options), parameters, options.weightDecay);
      const names = Object.keys(parameters);
      const step = ({ rate, ...gradients }: Record<string, TF.Tensor>): TF.Tensor => {
        const shared = optimizer.begin(Object.values(gradients));
        for (const name of names)
          optimizer.update(name, { gradient: gradients[name], rate: rate as TF.Scalar, ...shared });
        return tf.norm(tf.concat(Object.values(gradients).map((gradient) => gradient.flatten())));
      };
      const args = {
        rate: { shape: [], dtype: 'float32' as const },
        ...Object.fromEntries(names.map((name, k) => [name, { shape: golden.shapes[k], dtype: 'float32' as const }])),
      };
      const variables = { ...parameters, ...optimizer.variables };
      const program = await compile({ step: { args, run: step } }, variables);
      golden.rates.forEach((rate, t) => {
        const gradients = Object.fromEntries(names.map((name, k) => [name, gradientOf(k, t)]));
        tf.dispose(program.step({ rate, ...gradients }));
        const norm = tf.tidy(() =>
          step({
            rate: tf.scalar(rate),
            ...Object.fromEntries(names.map((name, k) => [name, tf.tensor(gradients[name], golden.shapes[k])])),
          }).dataSync(),
        );
        if (norms.length > 0) near(norm, [norms[t]], 'norm');
      });
      const compiled = program.read(names);
      names.forEach((name, k) => {
        near(parameters[name].dataSync(), expected[k], `eager ${name}`);
        near(compiled[name].dataSync(), expected[k], `compiled ${name}`);
      });
      program.dispose();
      tf.dispose([compiled, variables]);
      assert.equal(tf.memory().numTensors, before);
    });
});
