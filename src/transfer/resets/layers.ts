// Resets from a stage on: later-layer forgetting, and its relatives.
import { z } from 'zod';
import { defineReset } from './reset';

/**
 * Resets all variables from the stage `from` to the output side, `times` times at equal distances, never after the last
 * epoch. New value: (1 - strength) current + strength target, where the target is drawn at random or pretrained. With
 * `to: 'noise'` strength times the drawn value is added to the current one; running statistics then stay.
 */
export const layersReset = defineReset({
  name: 'layers',
  title: 'Reset of later layers',
  source:
    'later-layer forgetting: Fortuitous Forgetting, ICLR 2022; strength below 1: shrink and perturb, NeurIPS 2020',
  options: z.strictObject({
    /** First stage that is reset: a name in the backbone's `taps`, `last-stage`, or `head`. */
    from: z.string().min(1).default('head'),
    to: z.enum(['random', 'pretrained', 'noise']).default('random'),
    /** In (0, 1]. */
    strength: z.number().gt(0).max(1).default(1),
    times: z.number().int().positive().max(100_000).default(1),
    /** Whether the optimizer's state of the reset parameters is set to zero. */
    clearMomentum: z.boolean().default(true),
    /** No reset after any of the last so many epochs. */
    skipLastEpochs: z.number().int().nonnegative().default(0),
  }),
  check: ({ times }, { epochs }) =>
    epochs < times + 1 ? `${times} resets need at least ${times + 1} epochs, found ${epochs}` : undefined,
  timetable({ times, skipLastEpochs }, epochs) {
    const period = Math.floor(epochs / (times + 1));
    const ends = Array.from({ length: times }, (_, k) => (k + 1) * period);
    return { epochs, period, resets: ends.filter((end) => end <= epochs - skipLastEpochs) };
  },
  values({ from, to, strength }, { backbone, current, initial, drawn, from: namesFrom }) {
    const names = namesFrom(from).filter((name) => to !== 'noise' || backbone.variables[name].trainable);
    const target = to === 'pretrained' ? initial(names) : drawn(names);
    const kept = to === 'noise' ? 1 : 1 - strength;
    if (kept === 0) return target;
    const values = current(names);
    for (const [name, array] of Object.entries(values))
      array.forEach((value, i) => (array[i] = kept * value + strength * target[name][i]));
    return values;
  },
  clearMomentum: ({ clearMomentum }) => clearMomentum,
});
