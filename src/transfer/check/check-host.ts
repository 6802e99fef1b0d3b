// Checks of extensions that run in JavaScript: learning rates, reset policies, augmentations.
import { isDeepStrictEqual } from 'node:util';
import { buildResNet } from '../../backbones/families/resnet';
import type { Part } from '../../base/definitions/part';
import { KitError } from '../../base/errors';
import { randomStream } from '../../base/random';
import { augmentations } from '../../data/augmentations/augmentation';
import { ratesAt } from '../rates';
import { resetValues, timetable } from '../resets/reset';
import type { RunSpec } from '../spec/spec';
import { within } from '../within';
import { notFinite, notPure, type Subject } from './subject';

/** A network with the stages that most backbones have. */
const TINY = { block: 'basic', layers: [1, 1, 1, 1], width: 8, classes: 3 } as const;

/** Steps of an epoch in which rates are looked at. */
const STEPS = 3;

/** The learning rates of every epoch and of some steps. */
export function checkRates(subject: Subject, spec: RunSpec): string[] {
  const { epochs, period } = timetable(spec);
  for (let epoch = 0; epoch < epochs; epoch++)
    for (let step = 0; step < STEPS; step++) {
      const at = { epoch, epochs, period, step, steps: STEPS };
      const rates = within(subject.kind, subject.name, () => ratesAt(spec, at));
      for (const rate of Object.values(rates))
        if (!Number.isFinite(rate)) throw notFinite(subject, `a learning rate in epoch ${epoch + 1}`);
      if (!isDeepStrictEqual(rates, ratesAt(spec, at))) throw notPure(subject, 'another learning rate');
    }
  return ['learning rates are finite and repeatable'];
}

/** The timetable of a reset policy, and the values of its first two resets. */
export function checkReset(subject: Subject, spec: RunSpec): string[] {
  const table = timetable(spec);
  if (!isDeepStrictEqual(table, timetable(spec))) throw notPure(subject, 'another timetable');
  const backbone = buildResNet({ ...TINY, layers: [...TINY.layers] }, null);
  const read = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, backbone.variables[name].dataSync<'float32'>().slice()]));
  try {
    for (const epoch of table.resets.slice(0, 2)) {
      const reset = () => resetValues({ reset: spec.reset!, seed: 0 }, backbone, epoch, read);
      if (!isDeepStrictEqual(reset(), reset())) throw notPure(subject, `other values after epoch ${epoch}`);
    }
  } finally {
    backbone.dispose();
  }
  return ['timetable and values are right and repeatable'];
}

/** Pixels of a checked image, and of its crop. */
const [WIDTH, HEIGHT, SIZE] = [40, 36, 32];

/** Cuts and changes one image in several streams. */
export function checkAugmentation(subject: Subject, part: Part): string[] {
  const { kind, name } = subject;
  const { body } = augmentations.get(part.name);
  const augmented = (index: number) =>
    within(kind, name, () => {
      const stream = randomStream(0, 'augment', 0, index);
      const crop = body.crop?.(part as never, { width: WIDTH, height: HEIGHT, size: SIZE, stream });
      const pixels = Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, i) => (i * 31) % 256);
      const result: unknown = body.pixels?.(part as never, { pixels, size: SIZE, stream });
      return result instanceof Promise ? (result as never) : { crop, pixels };
    });
  for (let index = 0; index < 8; index++) {
    const { crop, pixels } = augmented(index);
    if (crop !== undefined) {
      const { top, left } = crop;
      const fits = (at: number, length: number): boolean => Number.isInteger(at) && at >= 0 && at + SIZE <= length;
      if (!fits(top, HEIGHT) || !fits(left, WIDTH))
        throw new KitError(
          `The ${kind} "${name}" cuts ${SIZE} pixels from row ${top} and column ${left} of ${WIDTH}x${HEIGHT} pixels.`,
          { code: 'EXTENSION_SHAPE', fix: 'Give whole numbers that leave the square within the image.' },
        );
    }
    if (!isDeepStrictEqual(augmented(index), { crop, pixels })) throw notPure(subject, 'another image');
  }
  return ['crops lie within the image', 'pixels are repeatable'];
}
