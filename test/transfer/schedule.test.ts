import assert from 'node:assert/strict';
import { ratesAt } from '../../src/transfer/rates';
import { rifle } from '../../src/transfer/resets/rifle';
import { parseRunSpec, type RunSpec, type RunSpecInput } from '../../src/transfer/spec/spec';

const plain = (schedule: RunSpecInput['schedule']) => parseRunSpec({ dataset: 'd', backbone: 'b', schedule });
const learningRate = (spec: RunSpec, base: number, epoch: number, epochs: number): number =>
  ratesAt({ ...spec, optimizer: { ...spec.optimizer, learningRate: base } }, { epoch, epochs, period: epochs })
    .learningRate;
const headLearningRate = (spec: RunSpec, epoch: number, epochs: number, period: number): number =>
  ratesAt(spec, { epoch, epochs, period }).headLearningRate;
const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} against ${expected}`);

describe('schedules', () => {
  it("follow the authors' cosine, once per epoch: lr(e) = lr0 (1 + cos(pi e / E)) / 2", () => {
    // By hand: cos 0 = 1, cos(pi/4) = 0.70710678..., cos(pi/2) = 0, cos(3 pi/4) = -0.70710678...
    const table = [0.01, 0.01 * 0.8535533905932737, 0.005, 0.01 * 0.1464466094067263];
    table.forEach((expected, epoch) => near(learningRate(plain({ name: 'cosine' }), 0.01, epoch, 4), expected));
    assert.ok(learningRate(plain({ name: 'cosine' }), 0.01, 39, 40) > 0, 'the last epoch is not wasted');
  });
  it('fall once by a step, or stay', () => {
    const step = { name: 'step', at: 2 / 3, factor: 0.1 } as const;
    near(learningRate(plain(step), 0.01, 5, 9), 0.01);
    near(learningRate(plain(step), 0.01, 6, 9), 0.001);
    near(learningRate(plain({ name: 'constant' }), 0.01, 8, 9), 0.01);
  });
  it('restart for the head alone when it is cyclic: u = E // P, lr(e) = lr0 (1 + cos(pi (e mod u) / u)) / 2', () => {
    const spec = parseRunSpec({
      dataset: 'd',
      backbone: 'b',
      epochs: 8,
      rifle: rifle('authors', { headLearningRate: 'cyclic' }),
    });
    near(headLearningRate(spec, 4, 8, 4), 0.01);
    near(headLearningRate(spec, 6, 8, 4), 0.005);
    const faster = parseRunSpec({ dataset: 'd', backbone: 'b', epochs: 8, optimizer: { headFactor: 10 } });
    near(headLearningRate(faster, 4, 8, 8), 0.05);
    const shared = parseRunSpec({ dataset: 'd', backbone: 'b', epochs: 8, rifle: rifle('authors') });
    near(headLearningRate(shared, 4, 8, 4), 0.005);
  });
});
