// The op of tfjs that is running, as a recorder can tell it.
import { tf } from '../tensorflow';

/** tfjs ops that draw random numbers in JavaScript: in a graph their first values would stay for ever. */
export const HOST_RANDOM_OPS = new Set([
  'rand',
  'randomUniform',
  'randomUniformInt',
  'randomNormal',
  'randomStandardNormal',
  'randomGamma',
  'truncatedNormal',
]);

/** The name of the tfjs op that is running, if one is. */
export function activeOp(): string | undefined {
  const scope = (tf.engine() as unknown as { state: { activeScope?: { name: string } } }).state.activeScope;
  // tfjs names the scope of an op with this ending, and no other scope.
  return scope?.name.endsWith('__op') ? scope.name.slice(0, -'__op'.length) : undefined;
}
