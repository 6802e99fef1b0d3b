// Reads a weights file of any format: all of its tensors, or those of one network.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { sha256File } from '../../data/fetch/registry-package';
import type { OnProgress } from '../../base/progress';
import { choosePrefix, chooseTensors, choiceText, sharedWrapper, splitChoice } from './choice';
import type { ExpectedNames, WeightsChoice } from './choice';
import { formatOf } from './formats';
import type { Selection } from './match';
import { hashOfFiles, type WeightsFormat } from './store';
import type { StateDict, StateTensor } from './readers/state-dict';

/** The tensors of a network in a weights file. */
export interface FoundTensors {
  stateDict: StateDict;
  format: WeightsFormat;
  /** How they were found; `renamed` is still empty. */
  selection: Selection;
}

/**
 * The named arrays in a weights file: PyTorch's (`.pth`, `.pt`, `.pth.tar`, `.ckpt`, `.bin`), `.safetensors`, `.pb`
 * (frozen TensorFlow graph), `.h5` (Keras), `.json` (TensorFlow.js layers model). The first bytes tell the format where
 * the ending does not. Of a checkpoint, those under its usual key (`state_dict` before others). `module.` and
 * `_orig_mod.` before every name are removed; tensors of types that the kit cannot hold are left out.
 * @throws KitError when there is no such file, it has an unknown format, or it cannot be read.
 */
export async function readWeights(file: string, { onProgress }: { onProgress?: OnProgress } = {}): Promise<StateDict> {
  const stateDict = await formatOf(file).read(file, { onProgress, onUnreadable: () => undefined });
  return withoutPrefix(stateDict, sharedWrapper([...stateDict.keys()]));
}

/**
 * The tensors in a weights file that have a network's names: of several sets the one with most of them, without the
 * prefix that stands before them.
 * @throws KitError as `readWeights`, or when prefixes do equally well.
 */
export async function readNetworkWeights(
  file: string,
  expected: ExpectedNames,
  { onProgress, ...choice }: WeightsChoice & { onProgress?: OnProgress } = {},
): Promise<FoundTensors> {
  const format = formatOf(file);
  const { choose, chosen } = chooseTensors(expected, choice);
  const unreadable: Selection['unreadable'] = [];
  const onUnreadable = (name: string, type: string): void => void unreadable.push({ name, type });
  const tensors = await format.read(file, { onProgress, choose, onUnreadable });
  const names = [...tensors.keys()];
  const prefix = choice.prefix ?? choosePrefix(names, expected);
  return {
    stateDict: withoutPrefix(tensors, prefix),
    format: format.name,
    selection: {
      ...chosen(),
      prefix,
      outside: names.filter((name) => !name.startsWith(prefix)),
      renamed: [],
      unreadable,
    },
  };
}

/** The tensors whose names begin with `prefix`, named without it. */
function withoutPrefix(tensors: StateDict, prefix: string): StateDict {
  if (prefix === '') return tensors;
  return new Map(
    [...tensors].flatMap(([name, tensor]): [string, StateTensor][] =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
    ),
  );
}

/** A path of weights and the user's choice behind it, as in `model.pth#key=state_dict_ema`. */
export function splitPath(weights: string): WeightsChoice & { file: string } {
  const [, file, fragment] = /^([^]+)#((?:key|prefix)=[^]*)$/.exec(weights) ?? [];
  if (file === undefined || fs.existsSync(weights)) return { file: weights };
  const { key, prefix } = splitChoice(fragment);
  return { file, key, prefix };
}

/** The hash of a weights file and of the shards beside it: runs record it. */
export async function hashWeights(file: string): Promise<string> {
  const hashes: string[] = [];
  for (const each of await formatOf(file).files(file)) hashes.push(await sha256File(each));
  return hashOfFiles(hashes);
}

/** The hash of the weights that `choice` takes from a file of hash `hash`. */
export function hashOfChoice(hash: string, choice: WeightsChoice): string {
  const text = choiceText(choice);
  return text === ''
    ? hash
    : createHash('sha256')
        .update(hash + text)
        .digest('hex');
}
