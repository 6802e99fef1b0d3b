// A schedule: the factor of the learning rate as a pure function of the progress of a run.
import type { z } from 'zod';
import { definePart, type AnyDefinition, type PartDefinition, type PartInfo } from '../../base/definitions/part';
import type { FieldKinds } from '../../base/definitions/fields';
import { Registry } from '../../base/definitions/registry';

/** Parameters that have a learning rate of their own. */
export type ParameterGroup = 'trunk' | 'head';

/** When a learning rate is used. */
export interface RateMoment {
  /** In [0, 1): the part of the run that is done. */
  progress: number;
  /** 0-based. */
  epoch: number;
  /** Epochs of the run. */
  epochs: number;
  /** 0-based in the epoch; 0 for a schedule that changes once per epoch. */
  step: number;
  /** Steps in an epoch. */
  steps: number;
  group: ParameterGroup;
}

/** What a schedule does. */
export interface ScheduleBody<O> {
  /** When the factor changes: once per epoch (the default), or with every step. */
  every?: 'epoch' | 'step';
  /** The learning rate is the base rate times this factor. A pure function. */
  factor(options: O, moment: RateMoment): number;
}

/** All schedules by name. */
export const schedules = new Registry<AnyDefinition<ScheduleBody<never>>>('schedule');

const fields: FieldKinds<ScheduleBody<never>> = { every: 'string?', factor: 'function' };

/** Defines a schedule, for the field `schedule` of a spec. */
export function defineSchedule<N extends string, O extends z.ZodObject>(
  info: PartInfo<N, O> & ScheduleBody<z.output<O>>,
): PartDefinition<N, O, ScheduleBody<z.output<O>>> {
  return definePart(schedules as never, info, info, defineSchedule, fields);
}
