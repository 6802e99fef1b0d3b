// Caltech-101 and Caltech-256: one folder of images a class, and no split: the kit's own, by `drawPerClass`.
import { KitError } from '../../base/errors';
import { drawPerClass } from '../splits';
import type { FileTree } from './formats/file-tree';
import { baseName, type DatasetReader, type Found, type Reading } from './reader';

/**
 * The images of all class folders, which must stand side by side. `pattern` finds what stands before, the class and the
 * image.
 */
function readFolders(
  tree: FileTree,
  pattern: RegExp,
  leftOut: string,
  root: string,
  split: { train: number; test: number | 'rest' },
): Reading {
  const images: { from: string; before: string; name: string; image: string }[] = [];
  for (const from of tree.paths) {
    const { before = '', name, image } = pattern.exec(from)?.groups ?? {};
    if (name !== undefined && name !== leftOut) images.push({ from, before, name, image });
  }
  const places = [...new Set(images.map(({ before }) => before))];
  if (places.length !== 1) {
    throw new KitError(
      places.length === 0
        ? `There are no images as in ${root}/<class>/.`
        : `Class folders stand in several places: ${places
            .slice(0, 3)
            .map((place) => JSON.stringify(place))
            .join(', ')}.`,
      { code: 'DATASET_FILE_MISSING' },
    );
  }
  const classes = [...new Set(images.map(({ name }) => name))].sort();
  const labels = new Map(classes.map((name, label) => [name, label]));
  const found = images.map(({ from, name, image }): Found => ({
    from,
    file: `${root}/${name}/${image}`,
    label: labels.get(name)!,
  }));
  return { ...drawPerClass(found, split), classes };
}

const IMAGE_101 = /^(?<before>.*\/)?(?<name>[^/]+)\/(?<image>image_\d{4}\.jpg)$/;
const IMAGE_256 = /^(?<before>.*\/)?(?<name>(?<number>\d{3})\.[^/]+)\/(?<image>\k<number>_\d{4}\.jpg)$/;

/**
 * Caltech-101: `101_ObjectCategories/<class>/image_<number>.jpg`, in an archive inside the official one;
 * BACKGROUND_Google is left out.
 */
export const caltech101 = (split: { train: number; test: number | 'rest' }): DatasetReader => ({
  wants: (file) => IMAGE_101.test(file) || baseName(file) === '101_ObjectCategories.tar.gz',
  nested: (file) => baseName(file) === '101_ObjectCategories.tar.gz',
  read: async (tree) => readFolders(tree, IMAGE_101, 'BACKGROUND_Google', '101_ObjectCategories', split),
});

/**
 * Caltech-256: `256_ObjectCategories/<number>.<class>/<number>_<image>.jpg`; a few files of the archive that are no
 * images of their class are left out.
 */
export const caltech256 = (split: { train: number; test: number | 'rest' }): DatasetReader => ({
  wants: (file) => IMAGE_256.test(file),
  read: async (tree) => readFolders(tree, IMAGE_256, '', '256_ObjectCategories', split),
});
