// The readers of src/data that take files from strangers: archives, MATLAB files, lists, images.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { extract } from '../../src/data/fetch/archive';
import { FileTree } from '../../src/data/readers/formats/file-tree';
import { datasets } from '../../src/data/catalog';
import { decode } from '../../src/data/pixels/decode';
import { readMat, type MatValue } from '../../src/data/readers/formats/mat';
import { parseElpvLabels } from '../../src/data/readers/elpv';
import { readers } from '../../src/data/readers';
import { packageRoot } from '../../src/base/home';
import { sharp } from '../../src/base/packages';
import { makeTar, makeZip, type Entry } from '../data/fetch/archive-makers';
import { cells, makeMat, numbers, structs, text } from '../data/readers/formats/mat-maker';
import { bytesOf, makeOfficials, type Official } from '../data/readers/official-archives';
import { fileTarget, outcome, scratch, type FuzzTarget, type FuzzTargets } from './target';

const ENTRIES: Entry[] = [
  { name: 'a/', kind: 'folder' },
  { name: 'a/one.txt', bytes: Buffer.from('one') },
  { name: 'a/b/two.bin', bytes: Buffer.alloc(700, 'two') },
  { name: 'link', kind: 'symlink', target: '/etc/passwd' },
  { name: 'deep/'.repeat(15) + 'file', bytes: Buffer.from('deep') },
];
const LIMITS = { maxBytes: 1 << 20, maxFiles: 100 };

/** Makes the check sums of all blocks right that look like a tar header. */
function repairTar(bytes: Buffer): Buffer {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (bytes.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
    bytes.write('        ', at + 148, 'latin1');
    const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
  return bytes;
}

function archiveTarget(
  name: string,
  seeds: Buffer[],
  repair?: (bytes: Buffer) => Buffer,
  wrap: (bytes: Buffer) => Buffer = (bytes) => bytes,
): FuzzTarget {
  const folder = scratch();
  const archive = path.join(folder, 'archive');
  const out = path.join(folder, 'box', 'out');
  fs.mkdirSync(path.dirname(out));
  return {
    name,
    seeds,
    repair,
    async run(bytes) {
      fs.writeFileSync(archive, wrap(Buffer.from(bytes)));
      const count = await outcome(() => extract(archive, out, LIMITS));
      assert.deepEqual(fs.readdirSync(folder).sort(), ['archive', 'box'], 'nothing is written elsewhere');
      assert.deepEqual(fs.readdirSync(path.dirname(out)), count === undefined ? [] : ['out'], 'whole or not at all');
      if (count === undefined) return;
      const entries = fs.readdirSync(out, { recursive: true, withFileTypes: true });
      assert.ok(
        entries.every((entry) => entry.isFile() || entry.isDirectory()),
        'no links, no devices',
      );
      const files = entries
        .filter((entry) => entry.isFile())
        .map((entry) => fs.statSync(path.join(entry.parentPath ?? entry.path, entry.name)));
      assert.equal(files.length, count);
      assert.ok(files.reduce((sum, { size }) => sum + size, 0) <= LIMITS.maxBytes);
      assert.ok(
        files.every(({ mode }) => (mode & 0o7111) === 0),
        'nothing can be run',
      );
      fs.rmSync(out, { recursive: true });
    },
    close: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}

function matTarget(): FuzzTarget {
  const folder = path.join(packageRoot(), 'test', 'fixtures', 'data', 'mat');
  const seeds: Buffer[] = fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.mat') && !name.includes('packed'))
    .map((name) => fs.readFileSync(path.join(folder, name)));
  seeds.push(
    makeMat({
      list: cells([text('a/b.jpg'), cells([text('deep')])]),
      labels: numbers([1, 2, 3]),
      rows: structs([{ class: numbers([7]), fname: text('1.jpg') }]),
    }),
  );
  const size = (value: MatValue): number =>
    value.kind === 'numbers'
      ? value.values.length
      : value.kind === 'text'
        ? value.rows.length
        : value.kind === 'cells'
          ? value.cells.reduce((sum, cell) => sum + size(cell), 1)
          : value.structs.reduce(
              (sum, row) => [...row.values()].reduce((inner, field) => inner + size(field), sum + 1),
              1,
            );
  /** All variables in one compressed element: what a change does to packed bytes is found by inflate alone. */
  const packed = (bytes: Buffer): Buffer => {
    const body = deflateSync(Buffer.from(bytes.subarray(128)), { level: 1 });
    const tag = Buffer.alloc(8);
    tag.writeUInt32LE(15, 0);
    tag.writeUInt32LE(body.length, 4);
    return Buffer.concat([bytes.subarray(0, 128), tag, body]);
  };
  return {
    name: 'mat',
    seeds,
    repair: packed,
    async run(bytes) {
      const variables = await outcome(() => readMat(bytes, 'fuzz.mat'));
      for (const value of variables?.values() ?? [])
        assert.ok(size(value) <= bytes.length * 1100, 'no more values than the bytes can hold');
    },
  };
}

/** One target for all lists: the first byte of an input says of which data set and list it is; the last is ELPV's. */
function listTarget(officials: Official[]): FuzzTarget {
  interface Subject {
    reader: string;
    folder: string;
    list: string;
  }
  const root = scratch();
  const subjects: Subject[] = [];
  const seeds: Buffer[] = [];
  for (const [name, reader] of [
    ['cub-200-2011', 'cub'],
    ['stanford-dogs', 'stanford-dogs'],
    ['stanford-cars', 'stanford-cars'],
    ['food-101', 'food-101'],
    ['dtd', 'dtd-1'],
    ['flowers-102', 'flowers-102'],
    ['mit-indoor-67', 'mit-indoor-67'],
    ['fgvc-aircraft', 'fgvc-aircraft'],
  ]) {
    const official = officials.find((each) => each.name === name)!;
    const folder = path.join(root, name);
    const entries = official.files.flatMap((file): Entry[] =>
      'entries' in file ? file.entries : [{ name: file.file, bytes: bytesOf(file) }],
    );
    for (const { name: file, bytes, kind = 'file' } of entries) {
      if (kind !== 'file' || !readers[reader].wants(file)) continue;
      fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      const isList = /\.(txt|mat)$/.test(file);
      fs.writeFileSync(path.join(folder, file), isList ? bytes! : '');
      if (!isList) continue;
      seeds.push(Buffer.concat([Buffer.from([subjects.length]), bytes!]));
      subjects.push({ reader, folder, list: file });
    }
  }
  seeds.push(
    Buffer.concat([
      Buffer.from([subjects.length]),
      Buffer.from('images/cell0001.png  1.0    mono\nimages/cell0002.png  0.3333333333333333 poly\n'),
    ]),
  );
  const originals = subjects.map(({ folder, list }) => fs.readFileSync(path.join(folder, list)));
  return {
    name: 'lists',
    seeds,
    async run(bytes) {
      if (bytes.length === 0) return;
      const which = bytes[0] % (subjects.length + 1);
      const content = bytes.subarray(1);
      if (which === subjects.length) {
        for (const { file, probability } of (await outcome(() => parseElpvLabels(content.toString()))) ?? [])
          assert.ok(/^images\/[\w-]+\.png$/.test(file) && probability >= 0 && probability <= 1);
        return;
      }
      const { reader, folder, list } = subjects[which];
      fs.writeFileSync(path.join(folder, list), content);
      try {
        const reading = await outcome(async () => readers[reader].read(await new FileTree().add(folder)));
        for (const { file, label } of [...(reading?.train ?? []), ...(reading?.test ?? [])]) {
          assert.ok(Number.isInteger(label) && label >= 0, `the label ${label}`);
          assert.ok(
            !path.isAbsolute(file) && !file.split(/[/\\]/).includes('..') && !file.includes('\0'),
            `the path ${file}`,
          );
        }
      } finally {
        fs.writeFileSync(path.join(folder, list), originals[which]);
      }
    },
    close: () => fs.rmSync(root, { recursive: true, force: true }),
  };
}

/** A folder of four images and its `labels.csv`: the input is the list. */
function labelsTarget(): FuzzTarget {
  const lists = [
    'file,label\na.png,cat\nb.png,dog\nc.png,cat\nd.png,dog\n',
    'file,label,split\r\na.png,cat,train\r\nb.png,dog,train\r\nc.png,cat,test\r\nd.png,dog,test\r\n',
    '\uFEFFlabel,file,group\n"cat, big",a.png,1\n"a ""dog""",b.png,2\n"cat, big",c.png,3\n"a ""dog""","d.png",4\n',
  ];
  const image = fs.readFileSync(path.join(packageRoot(), 'test', 'fixtures', 'data', 'odd', 'one-pixel.png'));
  return fileTarget({
    name: 'labels.csv',
    file: 'labels.csv',
    seeds: lists.map((list) => Buffer.from(list)),
    async read(file) {
      const folder = path.dirname(file);
      for (const name of ['a', 'b', 'c', 'd']) fs.writeFileSync(path.join(folder, `${name}.png`), image);
      const dataset = await outcome(() => datasets.fromFolder(folder));
      if (dataset === undefined) return;
      for (const { file: name, label } of [...dataset.train, ...dataset.test]) {
        assert.ok(fs.statSync(path.join(folder, name)).isFile() && !name.split('/').includes('..'), name);
        assert.ok(label >= 0 && label < dataset.classes.length);
      }
    },
  });
}

/** Bytes of the pixels that an image's header announces, where PIL's bound on pixels, which is the kit's, allows them. */
async function pixelBytes(bytes: Buffer): Promise<number> {
  try {
    const { width = 0, height = 0 } = await sharp()(bytes, { limitInputPixels: 178_956_970 }).metadata();
    return Math.max(bytes.length, width * height <= 178_956_970 ? 3 * width * height : 0);
  } catch {
    return bytes.length;
  }
}

function imageTarget(name: string, ending: RegExp): FuzzTarget {
  const seeds = ['odd', 'formats'].flatMap((folder) => {
    const from = path.join(packageRoot(), 'test', 'fixtures', 'data', folder);
    return fs
      .readdirSync(from)
      .filter((file) => ending.test(file))
      .map((file) => fs.readFileSync(path.join(from, file)));
  });
  return fileTarget({
    name,
    seeds: seeds.filter(({ length }) => length < 100_000),
    sizeOf: pixelBytes,
    async read(file) {
      const image = await outcome(() => decode(file));
      if (image !== undefined) assert.equal(image.pixels.length, image.width * image.height * 3);
    },
  });
}

/** The targets by name, each made when it is asked for. */
export const targets: FuzzTargets = {
  tar: () =>
    archiveTarget('tar', [makeTar(ENTRIES), makeTar(ENTRIES.slice(0, 3)), makeTar(ENTRIES.slice(1, 2))], repairTar),
  'tar.gz': () =>
    archiveTarget('tar.gz', [makeTar(ENTRIES.slice(0, 3)), makeTar(ENTRIES.slice(1, 2))], repairTar, (bytes) =>
      gzipSync(bytes, { level: 1 }),
    ),
  zip: () => archiveTarget('zip', [makeZip(ENTRIES.slice(0, 3)), makeZip(ENTRIES), makeZip(ENTRIES.slice(1, 2))]),
  mat: matTarget,
  lists: async () => listTarget(await makeOfficials()),
  'labels.csv': labelsTarget,
  images: () => imageTarget('images', /\.(jpg|png|gif|webp)$/),
  'images-tiff': () => imageTarget('images-tiff', /\.tif$/),
  'images-plain': () => imageTarget('images-plain', /\.(bmp|p[pgb]m)$/),
  'images-avif': () => imageTarget('images-avif', /\.avif$/),
};
