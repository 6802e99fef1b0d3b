// Food-101: `food-101/images/<class>/<number>.jpg` and lists of `<class>/<number>`.
import { KitError } from '../../base/errors';
import { drawPerClass } from '../splits';
import type { FileTree } from './formats/file-tree';
import { listedPath, type DatasetReader, type Found, type Reading } from './reader';

const LISTS = ['meta/classes.txt', 'meta/train.txt', 'meta/test.txt'] as const;

async function readSplits(tree: FileTree): Promise<Reading & { classes: string[] }> {
  const root = tree.before(...LISTS);
  const classes = (await tree.lines(`${root}${LISTS[0]}`)).map(({ line }) => line).sort();
  const labels = new Map(classes.map((name, label) => [name, label]));
  const split = async (list: string): Promise<Found[]> =>
    (await tree.lines(`${root}${list}`)).map(({ line }) => {
      const label = labels.get(line.slice(0, line.indexOf('/')));
      if (label === undefined)
        throw new KitError(`The list ${list} names ${JSON.stringify(line)}, whose class is not in ${LISTS[0]}.`, {
          code: 'DATASET_LIST_INVALID',
        });
      const file = `images/${listedPath(line, list)}.jpg`;
      return { from: `${root}${file}`, file: `food-101/${file}`, label };
    });
  return { train: await split(LISTS[1]), test: await split(LISTS[2]), classes };
}

function wants(file: string): boolean {
  return /(^|\/)meta\/(classes|train|test)\.txt$/.test(file) || /(^|\/)images\/[^/]+\/\d+\.jpg$/.test(file);
}

/** The official split. */
export const food101: DatasetReader = { wants, read: readSplits };

/** All official test images, and of each class `train` of the official training images, by `drawPerClass`. */
export const food101Part = (train: number): DatasetReader => ({
  wants,
  async read(tree) {
    const whole = await readSplits(tree);
    return { ...whole, train: drawPerClass(whole.train, { train, test: 0 }).train };
  },
});
