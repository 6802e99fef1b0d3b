import assert from 'node:assert/strict';
import { constant, cosine, step } from '../../../src/transfer/schedules';
import type { RateMoment } from '../../../src/transfer/schedules/schedule';

/** The factors of all epochs of a run of `epochs`. */
const factors = <O>(
  schedule: { body: { factor(options: O, moment: RateMoment): number } },
  options: O,
  epochs: number,
) =>
  Array.from({ length: epochs }, (_, epoch) =>
    schedule.body.factor(options, { progress: epoch / epochs, epoch, epochs, step: 0, steps: 1, group: 'trunk' }),
  );

describe('schedules', () => {
  it('constant: the base rate in every epoch', () => {
    assert.deepEqual(factors(constant, {}, 3), [1, 1, 1]);
  });

  it('cosine: the values of torch.optim.lr_scheduler.CosineAnnealingLR with T_max 4', () => {
    const torch = [1, 0.8535533905932737, 0.5, 0.14644660940672627];
    factors(cosine, {}, 4).forEach((factor, epoch) => assert.ok(Math.abs(factor - torch[epoch]) < 1e-15, `${epoch}`));
  });

  it('step: the factor from two thirds of the epochs on', () => {
    assert.deepEqual(factors(step, { at: 2 / 3, factor: 0.1 }, 6), [1, 1, 1, 1, 0.1, 0.1]);
  });
});
