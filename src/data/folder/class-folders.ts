// Reads data sets whose classes are folders: with `train/`, `test/` (and `val/`), or one folder a class and no split.
import { KitError } from '../../base/errors';
import { quoted } from '../../base/visible';
import type { Sample } from '../dataset';
import { IMAGE_ENDINGS } from '../pixels/image';
import { splitByRule } from '../splits';
import { ImageWalk, type ImageList } from './image-walk';
import type { Samples } from './labels-csv';

/** The layouts that are read, for errors. */
export const LAYOUTS =
  'Expected is one of: `train/<class>/<image>` and `test/<class>/<image>` (and `val/<class>/<image>`), with the same ' +
  'classes in all; or `<class>/<image>`, which is then split by a rule; or `labels.csv` with the columns file ' +
  'and label.';

/** Names of the folder with validation images. */
export const VALIDATION_FOLDERS = ['val', 'valid', 'validation'];

type Classes = Map<string, ImageList>;

/** The samples of `train/`, `test/` and, where it is there, the validation folder of `root`. */
export async function readSplitFolders(root: string, validationFolder: string | undefined): Promise<Samples> {
  const walk = new ImageWalk(root);
  const folders = ['train', ...(validationFolder === undefined ? [] : [validationFolder]), 'test'];
  const found = new Map<string, Classes>();
  for (const folder of folders) found.set(folder, await listClasses(walk, folder));
  for (const folder of folders) requireImages(root, folder, found.get(folder)!);
  for (const folder of folders) requireDistinctNames(root, [...found.get(folder)!.keys()]);
  const train = found.get('train')!;
  for (const folder of folders.slice(1)) requireSameClasses(root, train, found.get(folder)!, folder);
  const classes = [...train.keys()];
  requireClasses(root, classes);
  for (const folder of folders) requireNoEmptyClass(root, folder, found.get(folder)!);
  const samples = (folder: string): Sample[] => toSamples(classes, found.get(folder)!);
  return {
    classes,
    train: samples('train'),
    ...(validationFolder !== undefined && { validation: samples(validationFolder) }),
    test: samples('test'),
  };
}

/** The samples of the class folders in `root`, split by `splitByRule`. */
export async function readClassFolders(root: string): Promise<Samples> {
  const found = await listClasses(new ImageWalk(root), '');
  for (const [name, { images, others }] of found) if (images.length + others === 0) found.delete(name);
  requireImages(root, '', found);
  const classes = [...found.keys()];
  requireDistinctNames(root, classes);
  requireClasses(root, classes);
  requireNoEmptyClass(root, '', found);
  const small = classes.find((name) => found.get(name)!.images.length < 2);
  if (small !== undefined) {
    throw refuse(
      root,
      'SPLIT_CLASS_TOO_SMALL',
      `has one image only in the class ${quoted(small)}, which cannot be split.`,
      'Give each class at least two images.',
    );
  }
  return { classes, ...splitByRule(toSamples(classes, found)) };
}

const refuse = (root: string, code: string, why: string, fix: string): KitError =>
  new KitError(`The data set folder ${root} ${why}`, { code, fix });

const toSamples = (classes: readonly string[], found: Classes): Sample[] =>
  classes.flatMap((name, label) => found.get(name)!.images.map((file): Sample => ({ file, label })));

async function listClasses(walk: ImageWalk, folder: string): Promise<Classes> {
  const classes: Classes = new Map();
  for (const name of await walk.folders(folder))
    classes.set(name, await walk.list(folder === '' ? name : `${folder}/${name}`));
  return classes;
}

/** Some names, quoted, for a message. */
const some = (names: readonly string[]): string =>
  `${names
    .slice(0, 5)
    .map((name) => quoted(name))
    .join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`;

function requireImages(root: string, folder: string, classes: Classes): void {
  const lists = [...classes.values()];
  if (lists.some(({ images }) => images.length > 0)) return;
  const others = lists.reduce((sum, list) => sum + list.others, 0);
  throw refuse(
    root,
    'DATASET_NO_IMAGES',
    `has no images${folder === '' ? '' : ` in "${folder}"`}: found ${classes.size} class folders and ${others} other ` +
      'files in them.',
    `${LAYOUTS} Images end in ${IMAGE_ENDINGS.join(', ')}.`,
  );
}

/** A name as file systems and people may not tell it from others. */
const folded = (name: string): string => name.normalize('NFC').toLowerCase();

/** @throws KitError for two classes whose names differ in case or Unicode form only. */
function requireDistinctNames(root: string, names: readonly string[]): void {
  const first = new Map<string, string>();
  for (const name of names) {
    const before = first.get(folded(name));
    if (before !== undefined) throw alike(root, before, name);
    first.set(folded(name), name);
  }
}

function alike(root: string, one: string, other: string): KitError {
  const isForm = one.normalize('NFC') === other.normalize('NFC');
  return refuse(
    root,
    'DATASET_CLASS_NAMES_ALIKE',
    `has classes whose names differ only in ${isForm ? 'their Unicode form' : 'upper and lower case'}: ` +
      `${quoted(isForm ? escaped(one) : one)} and ${quoted(isForm ? escaped(other) : other)}.`,
    'If they are one class, give both folders the same name. If not, rename one.',
  );
}

/** A name with every character outside ASCII as `\u{...}`: what differs becomes visible. */
const escaped = (name: string): string =>
  name.replace(/[^ -~]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);

function requireSameClasses(root: string, train: Classes, other: Classes, folder: string): void {
  const onlyTrain = [...train.keys()].filter((name) => !other.has(name));
  const onlyOther = [...other.keys()].filter((name) => !train.has(name));
  if (onlyTrain.length + onlyOther.length === 0) return;
  for (const name of onlyTrain) {
    const twin = onlyOther.find((candidate) => folded(candidate) === folded(name));
    if (twin !== undefined) throw alike(root, `train/${name}`, `${folder}/${twin}`);
  }
  const differences = [['train', onlyTrain] as const, [folder, onlyOther] as const]
    .filter(([, names]) => names.length > 0)
    .map(([split, names]) => `only in "${split}": ${some(names)}`);
  throw refuse(
    root,
    'DATASET_CLASS_MISMATCH',
    `has other classes in "train" than in "${folder}": ${differences.join('; ')}.`,
    'Give both the same class folders; remove those that are in one only.',
  );
}

function requireClasses(root: string, classes: readonly string[]): void {
  if (classes.length >= 2) return;
  throw refuse(
    root,
    'DATASET_ONE_CLASS',
    `has one class only, ${quoted(classes[0])}: a classifier needs at least two.`,
    LAYOUTS,
  );
}

function requireNoEmptyClass(root: string, folder: string, classes: Classes): void {
  for (const [name, { images, others }] of classes) {
    if (images.length > 0) continue;
    const what = others > 0 ? `${others} files, none of which ends in ${IMAGE_ENDINGS.join(', ')}` : 'no files';
    throw refuse(
      root,
      'DATASET_CLASS_EMPTY',
      `has an empty class: ${quoted(folder === '' ? name : `${folder}/${name}`)} holds ${what}.`,
      folder === '' ? 'Put images there, or delete the folder.' : 'Put images there, or delete it from all splits.',
    );
  }
}
