// Learning rates as pure functions of the epoch.
import type { RunSpec, ScheduleSpec } from './spec';

type Rates = Pick<RunSpec, 'schedule' | 'trick'>;

/** Half a cosine from 1 at progress 0 towards 0 at progress 1. */
export const cosine = (progress: number): number => 0.5 * (1 + Math.cos(Math.PI * progress));

/**
 * Learning rate of the trunk in `epoch` (0-based) of `epochs`; constant within an epoch. The trick `cyclic-lr`
 * overrides the schedule.
 */
export function learningRate({ schedule, trick }: Rates, base: number, epoch: number, epochs: number): number {
  return trick.name === 'cyclic-lr'
    ? base * cosine(progressInCycle(trick.cycles, epoch, epochs))
    : scheduled(schedule, base, epoch, epochs);
}

/**
 * Progress in [0, 1) within the present one of `cycles` cycles of floor(epochs / cycles) epochs, the last of which
 * takes the epochs that are left:
 * cosine annealing with warm restarts (Loshchilov and Hutter, SGDR, ICLR 2017, T_mult = 1), here once per epoch as the
 * authors' cosine.
 */
export function progressInCycle(cycles: number, epoch: number, epochs: number): number {
  const length = Math.floor(epochs / cycles);
  const cycle = Math.min(Math.floor(epoch / length), cycles - 1);
  return (epoch - cycle * length) / (cycle === cycles - 1 ? epochs - cycle * length : length);
}

/** The authors' cosine (train.py): lr0 (1 + cos(pi epoch / epochs)) / 2, so that the last epoch's is not zero. */
function scheduled(schedule: ScheduleSpec, base: number, epoch: number, epochs: number): number {
  if (schedule.name === 'cosine') return base * cosine(epoch / epochs);
  if (schedule.name === 'step') return epoch < schedule.at * epochs ? base : base * schedule.factor;
  return base;
}

/**
 * Learning rate of the head: `headFactor` times the trunk's, or with RIFLE's `cyclic` a cosine that restarts in every
 * period of
 * `period` epochs (train.py: lr0 (1 + cos(pi (epoch mod u) / u)) / 2).
 */
export function headLearningRate(
  { optimizer, rifle, ...rates }: RunSpec,
  epoch: number,
  epochs: number,
  period: number,
): number {
  const base = optimizer.learningRate * optimizer.headFactor;
  return rifle?.headLearningRate === 'cyclic'
    ? base * cosine((epoch % period) / period)
    : learningRate(rates, base, epoch, epochs);
}
