// Stanford Dogs: `Images/<class>/<image>` and two MATLAB lists.
import { KitError } from '../../base/errors';
import type { FileTree } from './formats/file-tree';
import { readMat } from './formats/mat';
import { matNumbers, matTexts } from './formats/mat-lists';
import { baseName, listedNumber, listedPath, type DatasetReader, type Found } from './reader';

const LISTS = ['train_list.mat', 'test_list.mat'] as const;

/** The images of a list, and the name of each label's folder. */
async function readList(tree: FileTree, list: string, classes: string[]): Promise<Found[]> {
  const path = `${tree.before(list)}${list}`;
  const variables = readMat(await tree.bytes(path), list);
  const files = matTexts(variables.get('file_list'), `file_list of ${list}`).map((file) => listedPath(file, list));
  const labels = matNumbers(variables.get('labels'), `labels of ${list}`);
  if (files.length !== labels.length || files.length === 0)
    throw new KitError(`The list ${list} has ${files.length} files and ${labels.length} labels.`, {
      code: 'DATASET_LIST_INVALID',
    });
  const root = tree.before(files[0]);
  return files.map((file, i) => {
    const label = listedNumber(labels[i], 10_000, list) - 1;
    const folder = file.slice(0, file.indexOf('/'));
    classes[label] ??= folder;
    if (classes[label] !== folder)
      throw new KitError(`The list ${list} gives ${file} the label ${label + 1}, which is that of ${classes[label]}.`, {
        code: 'DATASET_LIST_INVALID',
      });
    return { from: `${root}${file}`, file: `Images/${file}`, label };
  });
}

/** The official split of train_list.mat and test_list.mat. */
export const stanfordDogs: DatasetReader = {
  wants: (file) =>
    (LISTS as readonly string[]).includes(baseName(file)) || /(^|\/)n\d{8}-[^/]+\/[^/]+\.jpe?g$/i.test(file),
  async read(tree) {
    const classes: string[] = [];
    const [train, test] = [await readList(tree, LISTS[0], classes), await readList(tree, LISTS[1], classes)];
    return { train, test, classes: Array.from(classes, (name) => name ?? '') };
  },
};
