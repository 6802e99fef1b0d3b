// One step down.
import { z } from 'zod';
import { defineSchedule } from './schedule';

/** The base rate, and from the fraction `at` of all epochs on `factor` times the base rate. */
export const step = defineSchedule({
  name: 'step',
  title: 'Step',
  options: z.strictObject({ at: z.number().gt(0).lt(1), factor: z.number().positive() }),
  factor: ({ at, factor }, { epoch, epochs }) => (epoch < at * epochs ? 1 : factor),
});
