// Which parameters and statistics belong to which stage of a backbone, found by what each stage's output depends on.
import type { Backbone } from './record';
import { tf, type TF } from '../engine/tensorflow';

/**
 * The names of `backbone.variables` by stage: the first stage of `record.taps` whose output depends on the variable;
 * one list a stage, input side first. Whatever comes after the last stage (the head, at least) is in none. Running
 * statistics count: the pass is that of evaluation. Takes one small pass a stage.
 */
export function variablesByStage(backbone: Backbone): string[][] {
  const { taps, inputSize } = backbone.record;
  const names = Object.keys(backbone.variables);
  const known = new Set<string>();
  return taps.map((stage) => {
    const found = tf.tidy(() => {
      const image = tf.fill([1, inputSize, inputSize, 3], 127) as TF.Tensor4D;
      const output = (): TF.Scalar => backbone.forward(image, { training: false }).taps[stage].sum();
      const { grads } = tf.engine().gradients(output, Object.values(backbone.variables), undefined, true);
      return names.filter((_, i) => grads[i] != null);
    });
    const own = found.filter((name) => !known.has(name));
    for (const name of own) known.add(name);
    return own;
  });
}
