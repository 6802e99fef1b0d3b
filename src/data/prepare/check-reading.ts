// Compares what a reader found with what the manifest says.
import { KitError } from '../../base/errors';
import { quoted } from '../../base/visible';
import type { DatasetSpec } from '../dataset';
import type { FileTree } from '../readers/formats/file-tree';
import type { Reading } from '../readers/reader';
import { plainName } from './folder-copy';

/** Samples that are as they should be, and the classes' names: the manifest's, but where official files have others. */
export type CheckedReading = Pick<Reading, 'train' | 'test'> & { classes: string[] };

/**
 * The samples, once they exist, are all different, and are as many in each split and class as they should be.
 * @param official whether hashes have shown that these are the official files
 * @throws KitError `DATASET_CONTENT_MISMATCH` that says what was expected and what was found.
 */
export function checkReading(
  spec: DatasetSpec,
  tree: FileTree,
  { train, test, classes }: Reading,
  official: boolean,
): CheckedReading {
  const { name, counts, perClass } = spec;
  const mismatch = (message: string, fix?: string): KitError =>
    new KitError(message, { code: 'DATASET_CONTENT_MISMATCH', fix });
  const all = [...train, ...test];
  const wrong = all.find(({ label }) => !(label >= 0 && label < spec.classes.length));
  if (wrong) {
    const found = `${quoted(wrong.file)} has label ${wrong.label}`;
    throw mismatch(`The data set ${name} has ${spec.classes.length} classes, but ${found}.`);
  }
  if (classes !== null && classes.length !== spec.classes.length)
    throw mismatch(`The data set ${name} should have ${spec.classes.length} classes, found ${classes.length}.`);
  const renamed = classes?.findIndex((found, label) => plainName(found) !== plainName(spec.classes[label])) ?? -1;
  if (renamed >= 0 && !official) {
    throw mismatch(
      `Class ${renamed + 1} of the data set ${name} should be ${quoted(spec.classes[renamed])}, ` +
        `found ${quoted(classes![renamed])}.`,
    );
  }
  if (train.length !== counts.train || test.length !== counts.test) {
    throw mismatch(
      `The data set ${name} should have ${counts.train} training and ${counts.test} test images, ` +
        `found ${train.length} and ${test.length}.`,
      'The manifest and the reader of this data set do not fit its files.',
    );
  }
  for (const [split, samples] of [['train', train] as const, ['test', test] as const]) {
    const number = new Array<number>(spec.classes.length).fill(0);
    for (const { label } of samples) number[label]++;
    const odd = number.findIndex((n) => n !== (perClass?.[split] ?? n) || n === 0);
    if (odd < 0) continue;
    throw mismatch(
      `The class ${quoted(spec.classes[odd])} of the data set ${name} should have ${perClass?.[split] ?? 'some'} ` +
        `images in ${split}, found ${number[odd]}.`,
    );
  }
  const files = new Set<string>();
  const twice = all.find(({ file }) => files.size === files.add(file).size);
  if (twice) throw mismatch(`The lists of the data set ${name} name ${quoted(twice.file)} twice.`);
  const missing = all.filter(({ from }) => !tree.has(from));
  if (missing.length > 0) {
    const some = missing.slice(0, 3).map(({ file }) => quoted(file));
    throw mismatch(
      `${missing.length} images that the lists of the data set ${name} name are missing: ` +
        `${some.join(', ')}${missing.length > 3 ? ' ...' : ''}.`,
    );
  }
  return { train, test, classes: renamed >= 0 ? classes! : spec.classes };
}
