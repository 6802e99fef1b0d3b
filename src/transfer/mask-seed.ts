// The seeds of the random numbers of tricks.
import { randomStream } from '../base/random';
import type { RunSpec } from './spec/spec';

/**
 * The seeds of the tricks' random numbers in step `index` (0-based) of `epoch`: [2] int32 for at most one trick, else
 * [tricks, 2]. Each trick has its own stream. A step that is repeated gets the same seeds.
 */
export function maskSeed(spec: Pick<RunSpec, 'seed' | 'tricks'>, epoch: number, index: number): Int32Array {
  const names = spec.tricks.length === 0 ? ['none'] : spec.tricks.map(({ name }) => name);
  return Int32Array.from(
    names.flatMap((name, i) => {
      const former = names.slice(0, i).filter((other) => other === name).length; // the same trick twice
      const stream = randomStream(spec.seed, former === 0 ? name : `${name}#${former}`, epoch, index);
      return [stream.integer(2 ** 31), stream.integer(2 ** 31)];
    }),
  );
}
