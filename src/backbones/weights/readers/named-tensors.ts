// The sets of named tensors that one weights file can hold, and the choice of one of them.
import { KitError } from '../../../base/errors';
import { quoted, quotedList } from '../../../base/visible';

/** One set of named tensors in a file, before its numbers are read. */
export interface NamedTensors {
  /** Its key in a checkpoint: names joined by dots, for example `state_dict`; empty at the top of the file. */
  key: string;
  /** The shape of each tensor, by name. */
  shapes: ReadonlyMap<string, readonly number[]>;
}

/** Chooses one of several sets, of which there is at least one. */
export type ChooseTensors = <T extends NamedTensors>(found: readonly T[]) => T;

/** The usual keys of weights, averaged copies last. */
const usualKeys = [
  '',
  'state_dict',
  'model_state_dict',
  'model_state',
  'model',
  'module',
  'net',
  'network',
  'weights',
  'params',
  'backbone',
  'student',
  'teacher',
  'state_dict_ema',
  'model_ema',
  'ema_state_dict',
  'ema',
  'params_ema',
];

const rankOf = ({ key }: NamedTensors): number => {
  const rank = usualKeys.indexOf(key);
  return rank < 0 ? usualKeys.length + key.split('.').length : rank;
};

/** The sets in the order of preference: usual keys first, an averaged copy after the weights that it averages. */
export const byPreference = <T extends NamedTensors>(found: readonly T[]): T[] =>
  [...found].sort((a, b) => rankOf(a) - rankOf(b));

/** The preferred one of the large sets: those with at least half as many tensors as the largest. */
export const usualTensors: ChooseTensors = (found) => {
  const largest = Math.max(...found.map(({ shapes }) => shapes.size));
  return byPreference(found.filter(({ shapes }) => 2 * shapes.size >= largest))[0];
};

/** The set under `key`. @throws KitError that lists the keys, when there is none. */
export const tensorsUnder =
  (key: string): ChooseTensors =>
  (found) => {
    const chosen = found.find((each) => each.key === key);
    if (chosen !== undefined) return chosen;
    throw new KitError(`It has no named tensors under the key ${quoted(key)}.`, {
      code: 'WEIGHTS_KEY_UNKNOWN',
      fix: `Name one of its keys: ${quotedList(found.map((each) => each.key))}.`,
    });
  };
