// Recognises a re-packed copy of a data set: `train/<class>/<image>` and `test/<class>/<image>`, as many people pass
// them on.
import { KitError } from '../../base/errors';
import type { DatasetSpec } from '../dataset';
import type { FileTree } from '../readers/formats/file-tree';
import { isImageName } from '../pixels/image';
import type { Found, Reading } from '../readers/reader';

const IMAGE = /^(?<before>.*\/)?(?<split>train|test|val|valid)\/(?<name>[^/]+)\/(?<image>[^/]+)$/i;

/** Whether a file of an archive may be an image of such a copy. */
export const wantsOfCopy = (file: string): boolean => isImageName(file) && IMAGE.test(file);

/** A class's name as copies may change it: letters and digits alone, in lower case. */
export const plainName = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/**
 * The data set in a tree that has training and test folders with its classes; undefined when it has no such folders.
 * The test folder may be called val or valid where there is none called test.
 * @throws KitError that says which classes differ.
 */
export function readFolderCopy(tree: FileTree, spec: DatasetSpec): Reading | undefined {
  const splits = new Map<string, { from: string; name: string; image: string }[]>();
  let place: string | undefined;
  for (const from of tree.paths) {
    const { before = '', split, name, image } = (isImageName(from) && IMAGE.exec(from)?.groups) || {};
    if (split === undefined || (place ??= before) !== before) continue;
    const key = split.toLowerCase();
    if (!splits.has(key)) splits.set(key, []);
    splits.get(key)!.push({ from, name, image });
  }
  const train = splits.get('train');
  const test = splits.get('test') ?? splits.get('val') ?? splits.get('valid');
  if (train === undefined || test === undefined) return undefined;
  const labels = new Map(spec.classes.map((name, label) => [plainName(name), label]));
  const found = (images: typeof train, split: string) =>
    images.map(({ from, name, image }): Found => {
      const label = labels.get(plainName(name));
      if (label === undefined)
        throw new KitError(`Its class "${name}" is none of ${spec.title}.`, { code: 'DATASET_CLASS_MISMATCH' });
      return { from, file: `${split}/${name}/${image}`, label };
    });
  return { train: found(train, 'train'), test: found(test, 'test'), classes: null };
}
