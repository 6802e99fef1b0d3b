// Learning rates as pure functions of the epoch.
import type { RunSpec, ScheduleSpec } from './spec';

/** Half a cosine from 1 at progress 0 towards 0 at progress 1. */
export const cosine = (progress: number): number => 0.5 * (1 + Math.cos(Math.PI * progress));

/**
 * Learning rate of the trunk in `epoch` (0-based) of `epochs`; constant within an epoch.
 * The authors' cosine (train.py): lr0 (1 + cos(pi epoch / epochs)) / 2, so that the last epoch's is not zero.
 */
export function learningRate(schedule: ScheduleSpec, base: number, epoch: number, epochs: number): number {
  if (schedule.name === 'cosine') return base * cosine(epoch / epochs);
  if (schedule.name === 'step') return epoch < schedule.at * epochs ? base : base * schedule.factor;
  return base;
}

/**
 * Learning rate of the head: `headFactor` times the trunk's, or with RIFLE's `cyclic` a cosine that restarts in every period of
 * `period` epochs (train.py: lr0 (1 + cos(pi (epoch mod u) / u)) / 2).
 */
export function headLearningRate({ optimizer, schedule, rifle }: RunSpec, epoch: number, epochs: number, period: number): number {
  const base = optimizer.learningRate * optimizer.headFactor;
  return rifle?.headLearningRate === 'cyclic' ? base * cosine((epoch % period) / period) : learningRate(schedule, base, epoch, epochs);
}
