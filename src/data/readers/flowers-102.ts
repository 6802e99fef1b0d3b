// Oxford Flowers-102: `jpg/image_<number>.jpg`, and MATLAB lists of labels and of the images of each split.
import { KitError } from '../../base/errors';
import { readMat } from './formats/mat';
import { matNumbers } from './formats/mat-lists';
import { baseName, listedNumber, type DatasetReader, type Found } from './reader';

const LABELS = 'imagelabels.mat';
const SPLITS = 'setid.mat';

/** Training and validation images (trnid, valid) are train, tstid is test. The classes have no names in the files. */
export const flowers102: DatasetReader = {
  wants: (file) => [LABELS, SPLITS].includes(baseName(file)) || /(^|\/)image_\d{5}\.jpg$/.test(file),
  async read(tree) {
    const list = async (file: string) => readMat(await tree.bytes(`${tree.before(file)}${file}`), file);
    const labels = matNumbers((await list(LABELS)).get('labels'), `labels of ${LABELS}`);
    const splits = await list(SPLITS);
    const nameOf = (image: number) => `image_${String(image).padStart(5, '0')}.jpg`;
    if (labels.length === 0) throw new KitError(`The list ${LABELS} is empty.`, { code: 'DATASET_LIST_INVALID' });
    const root = tree.before(nameOf(1));
    const found = (split: string): Found[] =>
      [...matNumbers(splits.get(split), `${split} of ${SPLITS}`)].map((number) => {
        const image = listedNumber(number, labels.length, SPLITS);
        return {
          from: `${root}${nameOf(image)}`,
          file: `jpg/${nameOf(image)}`,
          label: listedNumber(labels[image - 1], 10_000, LABELS) - 1,
        };
      });
    return { train: [...found('trnid'), ...found('valid')], test: found('tstid'), classes: null };
  },
};
