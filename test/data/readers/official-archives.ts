// Imitates the official archives of the data sets, small: the same folders and the same lists, with a few tiny images
// that are made here.
import sharp from 'sharp';
import { makeTar, makeTarGz, makeZip, type Entry } from '../fetch/archive-makers';
import { cells, makeMat, numbers, structs, text } from './formats/mat-maker';

/** An official file: an archive of entries, or a list. */
export type OfficialFile =
  { file: string; entries: Entry[]; pack: (entries: Entry[]) => Buffer } | { file: string; bytes: Buffer };

/** A data set in small. */
export interface Official {
  /** Name of the manifest. */
  name: string;
  files: OfficialFile[];
  /** What the manifest would say of it. */
  classes: string[];
  counts: { train: number; test: number };
  perClass?: { train?: number; test?: number };
  /** Samples that must be there: the file in the prepared data set, its class, its split. */
  known: [file: string, label: number, split: 'train' | 'test'][];
  /**
   * The lists and images of the archive that the reader needs are all there; this one may be taken away to see that it
   * is missed.
   */
  image: string;
}

/** The bytes of an official file. */
export const bytesOf = (official: OfficialFile): Buffer =>
  'bytes' in official ? official.bytes : official.pack(official.entries);

let images: Buffer[] | undefined;

/** Tiny JPEGs, all different. */
async function makeImages(): Promise<Buffer[]> {
  images ??= await Promise.all(
    Array.from({ length: 400 }, (_, seed) => {
      const pixels = Buffer.from(
        Array.from({ length: 8 * 6 * 3 }, (_value, i) => (i * 13 + seed * 101 + (seed >> 3) * 7) & 255),
      );
      return sharp(pixels, { raw: { width: 8, height: 6, channels: 3 } })
        .jpeg({ quality: 80 })
        .toBuffer();
    }),
  );
  return images;
}

const lines = (rows: readonly string[]): Buffer => Buffer.from(`${rows.join('\n')}\n`);

/** All data sets of the catalog that come from archives on the web, imitated. */
export async function makeOfficials(): Promise<Official[]> {
  const pool = await makeImages();
  let taken = 0;
  const image = (name: string): Entry => ({ name, bytes: pool[taken++ % pool.length] });
  const list = (name: string, rows: readonly string[]): Entry => ({ name, bytes: lines(rows) });
  const range = (n: number) => Array.from({ length: n }, (_, i) => i);

  const cub = (): Official => {
    const classes = ['001.Black_footed_Albatross', '002.Laysan_Albatross', '003.Sooty_Albatross'];
    const files = classes.flatMap((name) => range(4).map((i) => `${name}/${name.slice(4)}_000${i}_${i + 7}.jpg`));
    const root = 'CUB_200_2011';
    return {
      name: 'cub-200-2011',
      classes,
      counts: { train: 6, test: 6 },
      known: [
        [`${root}/images/${files[5]}`, 1, 'test'],
        [`${root}/images/${files[0]}`, 0, 'train'],
      ],
      image: files[5],
      files: [
        {
          file: 'CUB_200_2011.tgz',
          pack: makeTarGz,
          entries: [
            list('attributes.txt', ['1 has_bill_shape::curved_(up_or_down)']),
            { name: `${root}/`, kind: 'folder' },
            list(`${root}/README`, ['not wanted']),
            list(
              `${root}/classes.txt`,
              classes.map((name, i) => `${i + 1} ${name}`),
            ),
            list(
              `${root}/images.txt`,
              files.map((file, i) => `${i + 1} ${file}`),
            ),
            list(
              `${root}/image_class_labels.txt`,
              files.map((_, i) => `${i + 1} ${Math.floor(i / 4) + 1}`),
            ),
            list(
              `${root}/train_test_split.txt`,
              files.map((_, i) => `${i + 1} ${(i + 1) % 2}`),
            ),
            list(`${root}/bounding_boxes.txt`, ['1 60.0 27.0 325.0 304.0']),
            ...files.map((file) => image(`${root}/images/${file}`)),
          ],
        },
      ],
    };
  };

  const dogs = (): Official => {
    const classes = ['n02085620-Chihuahua', 'n02085782-Japanese_spaniel', 'n02116738-African_hunting_dog'];
    const files = classes.flatMap((name) => range(5).map((i) => `${name}/${name.slice(0, 9)}_${i + 100}.jpg`));
    const isTrain = (i: number) => i % 5 < 3;
    const mat = (train: boolean) => {
      const chosen = files.map((file, i) => ({ file, i })).filter(({ i }) => isTrain(i) === train);
      return makeMat({
        file_list: cells(chosen.map(({ file }) => text(file))),
        annotation_list: cells(chosen.map(({ file }) => text(file.replace('.jpg', '')))),
        labels: numbers(chosen.map(({ i }) => Math.floor(i / 5) + 1)),
      });
    };
    return {
      name: 'stanford-dogs',
      classes,
      counts: { train: 9, test: 6 },
      perClass: { train: 3 },
      known: [
        [`Images/${files[3]}`, 0, 'test'],
        [`Images/${files[12]}`, 2, 'train'],
      ],
      image: files[12],
      files: [
        {
          file: 'images.tar',
          pack: makeTar,
          entries: [{ name: 'Images/', kind: 'folder' }, ...files.map((file) => image(`Images/${file}`))],
        },
        {
          file: 'lists.tar',
          pack: makeTar,
          entries: [
            { name: 'file_list.mat', bytes: Buffer.from('not wanted') },
            { name: 'train_list.mat', bytes: mat(true) },
            { name: 'test_list.mat', bytes: mat(false) },
          ],
        },
      ],
    };
  };

  const cars = (): Official => {
    const classes = ['AM General Hummer SUV 2000', 'Acura RL Sedan 2012', 'Ram C/V Cargo Van Minivan 2012'];
    const annotations = (labels: number[]) =>
      makeMat({
        annotations: structs(
          labels.map((label, i) => ({
            bbox_x1: numbers([39]),
            bbox_y1: numbers([116]),
            bbox_x2: numbers([569]),
            bbox_y2: numbers([375]),
            class: numbers([label]),
            fname: text(`${String(i + 1).padStart(5, '0')}.jpg`),
          })),
        ),
      });
    const names = (folder: string, n: number) =>
      range(n).map((i) => image(`${folder}/${String(i + 1).padStart(5, '0')}.jpg`));
    return {
      name: 'stanford-cars',
      classes,
      counts: { train: 7, test: 5 },
      known: [
        ['cars_train/00002.jpg', 2, 'train'],
        ['cars_test/00005.jpg', 1, 'test'],
      ],
      image: 'cars_train/00002.jpg',
      files: [
        { file: 'cars_train.tgz', pack: makeTarGz, entries: names('cars_train', 7) },
        { file: 'cars_test.tgz', pack: makeTarGz, entries: names('cars_test', 5) },
        { file: 'cars_test_annos_withlabels.mat', bytes: annotations([1, 2, 3, 1, 2]) },
        {
          file: 'car_devkit.tgz',
          pack: makeTarGz,
          entries: [
            list('devkit/README.txt', ['not wanted']),
            { name: 'devkit/cars_meta.mat', bytes: makeMat({ class_names: cells(classes.map(text)) }) },
            { name: 'devkit/cars_train_annos.mat', bytes: annotations([1, 3, 2, 1, 2, 3, 1]) },
            { name: 'devkit/cars_test_annos.mat', bytes: Buffer.from('without labels') },
          ],
        },
      ],
    };
  };

  const food = (part: boolean): Official => {
    const classes = ['apple_pie', 'baby_back_ribs', 'waffles'];
    const perTrain = part ? 33 : 4;
    const names = (split: number, n: number) =>
      classes.flatMap((name) => range(n).map((i) => `${name}/${split * 1000 + i}`));
    const [train, test] = [names(1, perTrain), names(2, 2)];
    const root = 'food-101';
    return {
      name: part ? 'food-101-30' : 'food-101',
      classes,
      counts: { train: (part ? 30 : perTrain) * 3, test: 6 },
      perClass: { train: part ? 30 : perTrain, test: 2 },
      known: [
        [`${root}/images/${test[3]}.jpg`, 1, 'test'],
        ...(part ? [] : [[`${root}/images/${train[11]}.jpg`, 2, 'train'] as [string, number, 'train']]),
      ],
      image: `${test[3]}.jpg`,
      files: [
        {
          file: 'food-101.tar.gz',
          pack: makeTarGz,
          entries: [
            ...[...train, ...test].map((file) => image(`${root}/images/${file}.jpg`)),
            list(`${root}/meta/classes.txt`, classes),
            list(`${root}/meta/labels.txt`, ['Apple pie', 'Baby back ribs', 'Waffles']),
            list(`${root}/meta/train.txt`, train),
            list(`${root}/meta/test.txt`, test),
            list(`${root}/license_agreement.txt`, ['not wanted']),
          ],
        },
      ],
    };
  };

  const dtd = (fold: number): Official => {
    const classes = ['banded', 'polka-dotted', 'zigzagged'];
    const files = classes.flatMap((name) => range(6).map((i) => `${name}/${name}_00${i + 10}.jpg`));
    const splitOf = (i: number, k: number) => ['train', 'val', 'test'][(i + k) % 3];
    const lists = range(10).flatMap((k) =>
      ['train', 'val', 'test'].map((split) =>
        list(
          `dtd/labels/${split}${k + 1}.txt`,
          files.filter((_, i) => splitOf(i, k + 1) === split),
        ),
      ),
    );
    const testFile = files.findIndex((_, i) => splitOf(i, fold) === 'test');
    const validation = range(files.length)
      .reverse()
      .find((i) => splitOf(i, fold) === 'val')!;
    return {
      name: fold === 1 ? 'dtd' : `dtd-fold-${fold}`,
      classes,
      counts: { train: 12, test: 6 },
      perClass: { train: 4, test: 2 },
      known: [
        [`dtd/images/${files[testFile]}`, 0, 'test'],
        [`dtd/images/${files[validation]}`, 2, 'train'],
      ],
      image: files[testFile],
      files: [
        {
          file: 'dtd-r1.0.1.tar.gz',
          pack: makeTarGz,
          entries: [
            ...files.map((file) => image(`dtd/images/${file}`)),
            ...lists,
            { name: 'dtd/imdb/imdb.mat', bytes: Buffer.from('not wanted') },
          ],
        },
      ],
    };
  };

  const flowers = (): Official => {
    const name = (i: number) => `jpg/image_${String(i).padStart(5, '0')}.jpg`;
    return {
      name: 'flowers-102',
      classes: ['pink primrose', 'hard-leaved pocket orchid', 'canterbury bells'],
      counts: { train: 6, test: 4 },
      perClass: { train: 2 },
      known: [
        [name(10), 2, 'train'],
        [name(1), 1, 'test'],
      ],
      image: name(10),
      files: [
        { file: '102flowers.tgz', pack: makeTarGz, entries: range(10).map((i) => image(name(i + 1))) },
        { file: 'imagelabels.mat', bytes: makeMat({ labels: numbers([2, 1, 2, 3, 1, 1, 2, 3, 3, 3]) }) },
        {
          file: 'setid.mat',
          bytes: makeMat({ trnid: numbers([2, 3, 10]), valid: numbers([5, 7, 4]), tstid: numbers([1, 6, 8, 9]) }),
        },
      ],
    };
  };

  const indoor = (): Official => {
    const classes = ['airport_inside', 'bar', 'winecellar'];
    const files = classes.flatMap((name) => range(6).map((i) => `${name}/${name}_${i}.jpg`));
    return {
      name: 'mit-indoor-67',
      classes,
      counts: { train: 9, test: 6 },
      known: [
        [`Images/${files[7]}`, 1, 'train'],
        [`Images/${files[16]}`, 2, 'test'],
      ],
      image: files[7],
      files: [
        { file: 'indoorCVPR_09.tar', pack: makeTar, entries: files.map((file) => image(`Images/${file}`)) },
        { file: 'TrainImages.txt', bytes: lines(files.filter((_, i) => i % 6 < 3)) },
        { file: 'TestImages.txt', bytes: Buffer.from(files.filter((_, i) => i % 6 === 3 || i % 6 === 4).join('\r\n')) },
      ],
    };
  };

  const aircraft = (): Official => {
    const classes = ['707-320', 'BAE 146-200', 'F-16A/B'];
    const ids = range(12).map((i) => String(34309 + i * 7).padStart(7, '0'));
    const root = 'fgvc-aircraft-2013b/data';
    const rows = (test: boolean) => ids.map((id, i) => `${id} ${classes[i % 3]}`).filter((_, i) => i >= 8 === test);
    return {
      name: 'fgvc-aircraft',
      classes,
      counts: { train: 8, test: 4 },
      known: [
        [`${root}/images/${ids[2]}.jpg`, 2, 'train'],
        [`${root}/images/${ids[10]}.jpg`, 1, 'test'],
      ],
      image: `${ids[2]}.jpg`,
      files: [
        {
          file: 'fgvc-aircraft-2013b.tar.gz',
          pack: makeTarGz,
          entries: [
            list('fgvc-aircraft-2013b/README.md', ['not wanted']),
            list(`${root}/variants.txt`, classes),
            list(`${root}/images_variant_trainval.txt`, rows(false)),
            list(`${root}/images_variant_test.txt`, rows(true)),
            list(`${root}/images_family_test.txt`, ['not wanted']),
            ...ids.map((id) => image(`${root}/images/${id}.jpg`)),
          ],
        },
      ],
    };
  };

  const caltech101 = (): Official => {
    const classes = ['Faces', 'Faces_easy', 'accordion'];
    const entries = [...classes, 'BACKGROUND_Google'].flatMap((name, k) =>
      range(31 + k).map((i) => image(`101_ObjectCategories/${name}/image_${String(i + 1).padStart(4, '0')}.jpg`)),
    );
    return {
      name: 'caltech-101',
      classes,
      counts: { train: 90, test: 1 + 2 + 3 },
      perClass: { train: 30 },
      known: [],
      image: 'Faces/image_0001.jpg',
      files: [
        {
          file: 'caltech-101.zip',
          pack: makeZip,
          entries: [
            { name: 'caltech-101/Annotations.tar', bytes: Buffer.from('not wanted') },
            {
              name: 'caltech-101/101_ObjectCategories.tar.gz',
              bytes: makeTarGz([
                ...entries,
                { name: '101_ObjectCategories/BACKGROUND_Google/tmp', bytes: Buffer.from('tmp') },
              ]),
            },
            { name: '__MACOSX/caltech-101/._101_ObjectCategories.tar.gz', bytes: Buffer.from('left by a Mac') },
          ],
        },
      ],
    };
  };

  const caltech256 = (name: string, counts: Official['counts'], perClass: Official['perClass']): Official => {
    const classes = ['056.dog', '257.clutter'];
    const root = '256_ObjectCategories';
    return {
      name,
      classes,
      counts,
      perClass,
      known: [],
      image: '056.dog/056_0001.jpg',
      files: [
        {
          file: '256_ObjectCategories.tar',
          pack: makeTar,
          entries: [
            ...classes.flatMap((each, k) =>
              range(80 + k).map((i) =>
                image(`${root}/${each}/${each.slice(0, 3)}_${String(i + 1).padStart(4, '0')}.jpg`),
              ),
            ),
            { name: `${root}/198.spider/RENAME2`, bytes: Buffer.from('a script that the archive has') },
            image(`${root}/056.dog/greg/vision309/055_0001.jpg`),
          ],
        },
      ],
    };
  };

  return [
    cub(),
    dogs(),
    cars(),
    food(false),
    food(true),
    dtd(1),
    dtd(3),
    dtd(10),
    flowers(),
    indoor(),
    aircraft(),
    caltech101(),
    caltech256('caltech-256', { train: 120, test: 20 + 21 }, { train: 60 }),
    caltech256('caltech-256-30', { train: 60, test: 40 }, { train: 30, test: 20 }),
    caltech256('caltech-256-60', { train: 120, test: 40 }, { train: 60, test: 20 }),
  ];
}
