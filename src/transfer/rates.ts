// The learning rates of a run: base rates times the factor of the schedule, which tricks and resets may replace.
import type { Part } from '../base/definitions/part';
import type { OptimizerPart } from './optimizers/optimizer';
import { resets } from './resets/reset';
import { schedules, type ParameterGroup } from './schedules/schedule';
import { tricks } from './tricks/trick';

/** Of a spec, everything that learning rates depend on. */
export interface RateSpec {
  optimizer: OptimizerPart;
  schedule: Part;
  tricks: readonly Part[];
  reset: Part | null;
}

/** Where in a run a rate is used. */
export interface RatePosition {
  /** 0-based. */
  epoch: number;
  /** Epochs of the run. */
  epochs: number;
  /** Epochs in a period of the reset policy. */
  period: number;
  /** 0-based in the epoch, and the number of steps. Default: the beginning of the epoch. */
  step?: number;
  steps?: number;
}

/** The learning rates of a step. */
export interface Rates {
  /** Of the trunk. */
  learningRate: number;
  headLearningRate: number;
}

/** Whether the rates change within an epoch. */
export const changesWithinEpoch = ({ schedule }: Pick<RateSpec, 'schedule'>): boolean =>
  schedules.get(schedule.name).body.every === 'step';

/** The learning rates at `position`. A pure function. */
export function ratesAt(spec: RateSpec, { epoch, epochs, period, step = 0, steps = 1 }: RatePosition): Rates {
  const { body } = schedules.get(spec.schedule.name);
  const isPerStep = body.every === 'step';
  const progress = isPerStep ? (epoch + step / steps) / epochs : epoch / epochs;
  const factor = (group: ParameterGroup): number => {
    const moment = { progress, epoch, epochs, step: isPerStep ? step : 0, steps, group };
    const scheduled = body.factor(spec.schedule as never, moment);
    const tricked = spec.tricks.reduce(
      (factor, part) => tricks.get(part.name).body.rate?.(part as never, { ...moment, factor }) ?? factor,
      scheduled,
    );
    const { reset } = spec;
    const rate = reset === null ? undefined : resets.get(reset.name).body.rate;
    return rate?.(reset as never, { ...moment, factor: tricked, period }) ?? tricked;
  };
  const { learningRate, headFactor } = spec.optimizer;
  return { learningRate: learningRate * factor('trunk'), headLearningRate: learningRate * headFactor * factor('head') };
}
