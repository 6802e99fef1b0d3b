// The values of a backbone as the state dict of a weights file: the names and layouts of the file that it came from.
import { KitError } from '../base/errors';
import { quoted } from '../base/visible';
import type { TF } from '../engine/tensorflow';
import type { Backbone } from './record';
import type { StateDict } from './weights/readers/state-dict';

/** Values by parameter name, in the layout of memory: tensors, or their numbers in order. */
export type ParameterValues = Readonly<Record<string, TF.Tensor | Float32Array>>;

/**
 * The state dict of `backbone`: every parameter and running statistic by its name in the source file, in that file's
 * layout (torchvision's [out, in, height, width], for example), float32, in the order of the network. `backbones.load`
 * reads it back, and so does the framework of the names.
 * @param values replace the variables' present values: all or some, for example those that a compiled program `read`s.
 * @throws KitError when a value is of no parameter, or has not as many numbers as its parameter.
 */
export function stateDictOf(backbone: Backbone, values: ParameterValues = {}): StateDict {
  const { parameters, record } = backbone;
  const unknown = Object.keys(values).find((name) => !parameters.has(name));
  if (unknown !== undefined)
    throw new KitError(`${record.id} has no parameter ${quoted(unknown)}.`, {
      code: 'UNKNOWN_PARAMETER',
      fix: 'Give values by the names of `backbone.variables`.',
    });
  return new Map(
    [...parameters].map(([name, parameter]) => {
      const value = Object.hasOwn(values, name) ? values[name] : parameter.variable!;
      return [name, parameter.toFile(value instanceof Float32Array ? value : value.dataSync<'float32'>())];
    }),
  );
}
