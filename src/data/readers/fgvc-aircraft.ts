// FGVC-Aircraft: `fgvc-aircraft-2013b/data/images/<number>.jpg` and lists of `<number> <variant>`.
import { KitError } from '../../base/errors';
import { baseName, listedPath, type DatasetReader, type Found } from './reader';

const LISTS = ['variants.txt', 'images_variant_trainval.txt', 'images_variant_test.txt'] as const;

/** The 100 variants; trainval is train. */
export const fgvcAircraft: DatasetReader = {
  wants: (file) => (LISTS as readonly string[]).includes(baseName(file)) || /(^|\/)images\/\d+\.jpg$/.test(file),
  async read(tree) {
    const root = tree.before(...LISTS);
    const classes = (await tree.lines(`${root}${LISTS[0]}`)).map(({ line }) => line);
    const labels = new Map(classes.map((name, label) => [name, label]));
    const split = async (list: string): Promise<Found[]> =>
      (await tree.lines(`${root}${list}`)).map(({ line, number }) => {
        const [, id, variant] = /^(\d+) (\S.*)$/.exec(line) ?? [];
        const label = labels.get(variant);
        if (label === undefined)
          throw new KitError(
            `Line ${number} of ${list} has a wrong form: expected an image's number and one of the ` +
              `${classes.length} variants, found ${JSON.stringify(line.slice(0, 100))}.`,
            { code: 'DATASET_LIST_INVALID' },
          );
        const file = listedPath(`images/${id}.jpg`, list);
        return { from: `${root}${file}`, file: `fgvc-aircraft-2013b/data/${file}`, label };
      });
    return { train: await split(LISTS[1]), test: await split(LISTS[2]), classes };
  },
};
