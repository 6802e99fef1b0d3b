// Cyclic learning rate: cosine annealing with warm restarts (Loshchilov and Hutter, SGDR, ICLR 2017, T_mult = 1).
import { z } from 'zod';
import { cosineFactor } from '../schedules/cosine';
import { defineTrick } from './trick';

/**
 * The cosine of the whole network restarts: `cycles` cycles of equal length, once per epoch, in place of the schedule.
 */
export const cyclicLr = defineTrick({
  name: 'cyclic-lr',
  title: 'Cyclic LR',
  source: 'Loshchilov and Hutter, ICLR 2017; rates: our own grid',
  options: z.strictObject({ cycles: z.number().int().min(2).max(100_000).default(2) }),
  check: ({ cycles }, { epochs }) =>
    cycles > epochs ? `${cycles} cycles of the learning rate need at least as many epochs, found ${epochs}` : undefined,
  rate: ({ cycles }, { epoch, epochs }) => cosineFactor(progressInCycle(cycles, epoch, epochs)),
});

/**
 * Progress in [0, 1) within the present one of `cycles` cycles of floor(epochs / cycles) epochs. The last cycle has the
 * epochs that are left.
 */
export function progressInCycle(cycles: number, epoch: number, epochs: number): number {
  const length = Math.floor(epochs / cycles);
  const cycle = Math.min(Math.floor(epoch / length), cycles - 1);
  return (epoch - cycle * length) / (cycle === cycles - 1 ? epochs - cycle * length : length);
}
