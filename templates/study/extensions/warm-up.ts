// A schedule: the learning rate rises in the first part of a run, then falls along a cosine.
import { defineSchedule, z } from 'rifle-kit/extend';

export const warmUp = defineSchedule({
  name: '{{name}}/warm-up',
  version: 1,
  title: 'Warm-up, then cosine',
  source: 'Goyal et al., 2017',
  options: z.strictObject({ part: z.number().gt(0).lt(1).default(0.1) }),
  every: 'step',
  // progress: 0 at the first step, below 1 at the last
  factor: ({ part }, { progress }) =>
    progress < part ? (progress + 0.01) / part : 0.5 * (1 + Math.cos((Math.PI * (progress - part)) / (1 - part))),
});
