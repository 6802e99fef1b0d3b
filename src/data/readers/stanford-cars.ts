// Stanford Cars: `cars_train/<image>`, `cars_test/<image>`, and MATLAB lists in a development kit and beside it.
import { KitError } from '../../base/errors';
import type { FileTree } from './formats/file-tree';
import { readMat } from './formats/mat';
import { matNumbers, matText, matTexts } from './formats/mat-lists';
import { baseName, listedNumber, listedPath, type DatasetReader, type Found } from './reader';

const TRAIN = 'cars_train_annos.mat';
const TEST = 'cars_test_annos_withlabels.mat';
const META = 'cars_meta.mat';

async function readAnnotations(tree: FileTree, list: string, folder: string, classes: number): Promise<Found[]> {
  const annotations = readMat(await tree.bytes(`${tree.before(list)}${list}`), list).get('annotations');
  if (annotations?.kind !== 'structs' || annotations.structs.length === 0)
    throw new KitError(`The list ${list} has no annotations.`, { code: 'DATASET_LIST_INVALID' });
  const found = annotations.structs.map((row) => {
    const file = `${folder}/${listedPath(matText(row.get('fname'), `fname of ${list}`), list)}`;
    const [label] = matNumbers(row.get('class'), `class of ${list}`);
    return { from: file, file, label: listedNumber(label, classes, list) - 1 };
  });
  const root = tree.before(found[0].file);
  return found.map((image) => ({ ...image, from: `${root}${image.file}` }));
}

/** The official split; the labels of the test images are in a file of their own. */
export const stanfordCars: DatasetReader = {
  wants: (file) => [TRAIN, TEST, META].includes(baseName(file)) || /(^|\/)cars_(train|test)\/\d{5}\.jpe?g$/i.test(file),
  async read(tree) {
    const classes = matTexts(
      readMat(await tree.bytes(`${tree.before(META)}${META}`), META).get('class_names'),
      `class_names of ${META}`,
    );
    return {
      train: await readAnnotations(tree, TRAIN, 'cars_train', classes.length),
      test: await readAnnotations(tree, TEST, 'cars_test', classes.length),
      classes,
    };
  },
};
