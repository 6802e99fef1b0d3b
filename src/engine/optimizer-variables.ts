// The variables that an optimizer of tfjs keeps to itself: a compiled step must list them.
import { tf, type TF } from './tensorflow';

/**
 * Every variable of `optimizer` (momenta, averages of squares, powers of beta) for a compiled step that calls
 * `optimizer.applyGradients` or `minimize` over `variables`. They are created if they do not exist; no value changes.
 * @returns by names that are unique in the optimizer: to be listed in the variables of `compile`.
 */
export function optimizerVariables(
  optimizer: TF.Optimizer,
  variables: readonly TF.Variable[],
): Record<string, TF.Variable> {
  const existing = [...Object.values(variablesIn(optimizer)), ...variables];
  const values = existing.map((variable) => variable.clone());
  const counted = optimizer as unknown as { iterations_?: number };
  const iterations = counted.iterations_;
  // Optimizers create their variables at the first step. Of zero gradients, the new ones keep their first values.
  tf.tidy(() =>
    optimizer.applyGradients(variables.map((variable) => ({ name: variable.name, tensor: tf.zerosLike(variable) }))),
  );
  existing.forEach((variable, i) => variable.assign(values[i]));
  tf.dispose(values);
  counted.iterations_ = iterations;
  return variablesIn(optimizer);
}

/** The variables in the fields of an optimizer: themselves, or in lists of one for each trained variable. */
function variablesIn(optimizer: TF.Optimizer): Record<string, TF.Variable> {
  const found: Record<string, TF.Variable> = {};
  for (const [field, value] of Object.entries(optimizer)) {
    if (value instanceof tf.Variable) found[field] = value;
    if (!Array.isArray(value)) continue;
    (value as { variable?: unknown }[]).forEach((slot, i) => {
      if (slot?.variable instanceof tf.Variable) found[`${field}/${i}`] = slot.variable;
    });
  }
  return found;
}
