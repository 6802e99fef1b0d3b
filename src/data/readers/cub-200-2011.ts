// CUB-200-2011: `CUB_200_2011/images/<class>/<image>` and four lists that number the images.
import { KitError } from '../../base/errors';
import type { FileTree } from './formats/file-tree';
import { baseName, listedNumber, listedPath, type DatasetReader } from './reader';

const LISTS = ['images.txt', 'image_class_labels.txt', 'train_test_split.txt', 'classes.txt'] as const;

/** The lines `<number> <value>` of a list, by number. */
async function numbered(tree: FileTree, file: string): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for (const { line, number } of await tree.lines(file)) {
    const [, id, value] = /^(\d+) (\S.*)$/.exec(line) ?? [];
    if (id === undefined || values.has(id))
      throw new KitError(
        `Line ${number} of ${file} has a wrong form: expected a number of its own and a value, ` +
          `found ${JSON.stringify(line)}.`,
        { code: 'DATASET_LIST_INVALID' },
      );
    values.set(id, value);
  }
  return values;
}

/** The official split of train_test_split.txt (1: training). */
export const cub: DatasetReader = {
  wants: (file) =>
    (LISTS as readonly string[]).includes(baseName(file)) || /(^|\/)images\/[^/]+\/[^/]+\.jpe?g$/i.test(file),
  async read(tree) {
    const root = tree.before(...LISTS);
    const [images, labels, splits, classes] = await Promise.all(LISTS.map((list) => numbered(tree, `${root}${list}`)));
    const samples = [...images].map(([id, listed]) => {
      const file = listedPath(listed, 'images.txt');
      const split = splits.get(id);
      if (split !== '0' && split !== '1')
        throw new KitError(
          `The list train_test_split.txt has ${JSON.stringify(split ?? null)} for image ${id}, expected 0 or 1.`,
          { code: 'DATASET_LIST_INVALID' },
        );
      const label = listedNumber(labels.get(id), classes.size, 'image_class_labels.txt') - 1;
      return {
        train: split === '1',
        found: { from: `${root}images/${file}`, file: `CUB_200_2011/images/${file}`, label },
      };
    });
    const of = (train: boolean) => samples.filter((sample) => sample.train === train).map(({ found }) => found);
    return { train: of(true), test: of(false), classes: [...classes.values()] };
  },
};
