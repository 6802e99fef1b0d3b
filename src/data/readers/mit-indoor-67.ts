// MIT Indoor-67: `Images/<class>/<image>` and two lists of `<class>/<image>`; most images are in neither.
import { KitError } from '../../base/errors';
import type { FileTree } from './formats/file-tree';
import { isImageName } from '../pixels/image';
import { baseName, listedPath, type DatasetReader } from './reader';

const LISTS = ['TrainImages.txt', 'TestImages.txt'] as const;

async function readList(tree: FileTree, list: string): Promise<string[]> {
  const files = (await tree.lines(`${tree.before(list)}${list}`)).map(({ line }) => listedPath(line, list));
  const odd = files.find((file) => !/^[^/]+\/[^/]+$/.test(file) || !isImageName(file));
  if (odd !== undefined || files.length === 0)
    throw new KitError(
      `The list ${list} should have lines <class>/<image>, ` +
        `found ${odd === undefined ? 'none' : JSON.stringify(odd.slice(0, 100))}.`,
      { code: 'DATASET_LIST_INVALID' },
    );
  return files;
}

const classOf = (file: string): string => file.slice(0, file.indexOf('/'));

/** The official lists. */
export const mitIndoor67: DatasetReader = {
  wants: (file) =>
    (LISTS as readonly string[]).includes(baseName(file)) ||
    (/(^|\/)Images\/[^/]+\/[^/]+$/i.test(file) && isImageName(file)),
  async read(tree) {
    const [train, test] = [await readList(tree, LISTS[0]), await readList(tree, LISTS[1])];
    const classes = [...new Set([...train, ...test].map(classOf))].sort();
    const labels = new Map(classes.map((name, label) => [name, label]));
    const root = tree.before(train[0]);
    const found = (files: string[]) =>
      files.map((file) => ({ from: `${root}${file}`, file: `Images/${file}`, label: labels.get(classOf(file))! }));
    return { train: found(train), test: found(test), classes };
  },
};
