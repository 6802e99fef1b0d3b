import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { compile } from '../../../src/engine/compile';
import { tf, type TF } from '../../../src/engine/tensorflow';
import { packageRoot } from '../../../src/base/home';
import { attention, autoencoder, embedding, gan, lstm, type Example } from './networks';

const examples: Record<string, () => Example> = { lstm, attention, gan, autoencoder, embedding };

describe('docs/compile.md', function () {
  this.timeout(120_000);

  for (const [name, make] of Object.entries(examples)) {
    it(`${name}: 20 compiled steps equal 20 eager ones, and change every variable as these do`, async () => {
      const { variables, args, step } = make();
      const start = variables.map((variable) => variable.clone());
      const losses = (run: () => TF.Tensor) =>
        Array.from({ length: 20 }, () => Array.from(tf.tidy(() => run().dataSync()))).flat();
      const eager = losses(() => step(args));
      const end = variables.map((variable) => variable.dataSync());
      variables.forEach((variable, i) => variable.assign(start[i]));
      const listed = Object.fromEntries(variables.map((variable, i) => [`v${i}`, variable]));
      const program = await compile({ step: { args, run: step } }, listed, { captured: 'constant' });
      const compiled = losses(() => program.step(args));
      const close = (a: ArrayLike<number>, b: ArrayLike<number>) =>
        Array.from(a).every((x, i) => Math.abs(x - b[i]) <= 1e-5 * Math.max(1, Math.abs(x)));
      assert.ok(close(eager, compiled), `${eager} against ${compiled}`);
      const values = program.read();
      variables.forEach((_, i) => assert.ok(close(end[i], values[`v${i}`].dataSync()), `variable ${i}`));
      assert.notEqual(eager[0], eager.at(-1));
      program.dispose();
      tf.dispose([variables, start, values, args]);
    });
  }

  it('shows code that is in the examples, line by line', () => {
    const page = fs.readFileSync(path.join(packageRoot(), 'docs', 'compile.md'), 'utf8');
    const source = fs.readFileSync(path.join(packageRoot(), 'test', 'engine', 'examples', 'networks.ts'), 'utf8');
    const blocks = [...page.matchAll(/<!-- networks\.ts -->\n```ts\n([^]*?)```/g)].map(([, code]) => code);
    assert.equal(blocks.length, 5);
    for (const block of blocks) assert.ok(source.includes(block), block);
  });
});
