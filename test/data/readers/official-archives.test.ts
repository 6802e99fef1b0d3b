// Every data set of the catalog, from an imitation of its official archives (official-archives.ts): read, or refused
// for a reason of its own.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { datasets } from '../../../src/data/catalog';
import type { Dataset, DatasetSpec } from '../../../src/data/dataset';
import { prepare } from '../../../src/data/prepare/prepare';
import { cachePath, type WebFile } from '../../../src/data/fetch/remote-file';
import { KitError } from '../../../src/base/errors';
import { makeZip, type Entry } from '../fetch/archive-makers';
import { startServer } from '../fetch/bad-server';
import { filesBelow, useFreshHome } from '../fresh-home';
import { bytesOf, makeOfficials, type Official, type OfficialFile } from './official-archives';

const NAMES = [
  'cub-200-2011',
  'stanford-dogs',
  'stanford-cars',
  'food-101',
  'food-101-30',
  'dtd',
  'dtd-fold-3',
  'dtd-fold-10',
  'flowers-102',
  'mit-indoor-67',
  'fgvc-aircraft',
  'caltech-101',
  'caltech-256',
  'caltech-256-30',
  'caltech-256-60',
];
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('official archives', function () {
  this.timeout(120_000); // 36 s for all of them on an idle machine
  const home = useFreshHome();
  let officials: Map<string, Official>;
  before(async () => {
    officials = new Map((await makeOfficials()).map((official) => [official.name, official]));
  });

  /** The manifest, for the small imitation: its files' sizes and hashes, classes and counts are the imitation's. */
  function specOf(official: Official, files: OfficialFile[] = official.files): DatasetSpec {
    const spec = datasets.list().find(({ name }) => name === official.name)!;
    assert.deepEqual(
      spec.files.map(({ file }) => file),
      official.files.map(({ file }) => file),
      'the imitation has the official names',
    );
    const described = files.map((file, i): WebFile => {
      const bytes = bytesOf(file);
      const { sha1: _, ...known } = spec.files[i] as WebFile;
      return { ...known, bytes: bytes.length, sha256: sha256(bytes), md5: null };
    });
    return {
      ...spec,
      files: described,
      classes: official.classes,
      counts: official.counts,
      perClass: official.perClass,
    };
  }
  const dir = () => path.join(home.path, 'brought');
  const ready = () => path.join(home.path, 'data', 'ready');
  function bring(files: { file: string; bytes: Buffer }[]): void {
    fs.rmSync(dir(), { recursive: true, force: true });
    for (const { file, bytes } of files) {
      fs.mkdirSync(path.dirname(path.join(dir(), file)), { recursive: true });
      fs.writeFileSync(path.join(dir(), file), bytes);
    }
  }
  const bringOfficial = (files: OfficialFile[]) =>
    bring(files.map((file) => ({ file: file.file, bytes: bytesOf(file) })));

  /** All entries of all archives, and lists as entries: what unpacking everything into one folder would give. */
  const allEntries = (official: Official): Entry[] =>
    official.files
      .flatMap((file) => ('bytes' in file ? [{ name: file.file, bytes: file.bytes }] : file.entries))
      .filter(({ kind = 'file' }) => kind === 'file');

  function checkRead(dataset: Dataset, official: Official): void {
    assert.deepEqual({ train: dataset.train.length, test: dataset.test.length }, official.counts);
    for (const [file, label, split] of official.known)
      assert.ok(
        dataset[split].some((sample) => sample.file === file && sample.label === label),
        `${file} in ${split}`,
      );
    const files = [...dataset.train, ...dataset.test].map(({ file }) => file);
    assert.equal(new Set(files).size, files.length);
    assert.deepEqual(filesBelow(dataset.root), [...files, 'dataset.json'].sort(), 'the images, and nothing else');
  }

  /** That preparing fails for that reason, and writes nothing anywhere. */
  async function refuses(spec: DatasetSpec, why: RegExp): Promise<KitError> {
    const before = filesBelow(home.path);
    let failure: unknown;
    await prepare(ready(), spec, { from: dir() }).catch((error: unknown) => (failure = error));
    assert.ok(failure instanceof KitError, String(failure));
    assert.match(failure.message, why);
    assert.deepEqual(filesBelow(home.path), before, 'nothing is left');
    assert.ok(!fs.existsSync(path.join(home.path, 'evil')) && !fs.existsSync('/tmp/rifle-evil'));
    return failure;
  }

  for (const name of NAMES) {
    describe(name, () => {
      let official: Official;
      beforeEach(() => (official = officials.get(name)!));

      it('is read, split and counted from its official files, also under other names', async () => {
        bringOfficial(official.files);
        const dataset = await prepare(ready(), specOf(official), { from: dir() });
        checkRead(dataset, official);
        assert.equal(dataset.verified, 'hash');
        bring(official.files.map((file, i) => ({ file: `deep/down/renamed-${i}.bin`, bytes: bytesOf(file) })));
        const renamed = await prepare(path.join(home.path, 'data', 'renamed'), specOf(official), { from: dir() });
        assert.deepEqual([renamed.hash, renamed.verified], [dataset.hash, 'hash']);
      });

      it('is the same from an unpacked or a re-packed copy, by its content', async () => {
        bringOfficial(official.files);
        const { hash } = await prepare(ready(), specOf(official), { from: dir() });
        const entries = allEntries(official);
        bring(entries.map(({ name: file, bytes }) => ({ file: `my copy/${file}`, bytes: bytes! })));
        const brought = filesBelow(dir());
        if (name !== 'caltech-101') {
          // whose images are in an archive inside the archive
          const unpacked = await prepare(path.join(home.path, 'data', 'unpacked'), specOf(official), { from: dir() });
          checkRead(unpacked, official);
          assert.deepEqual([unpacked.hash, unpacked.verified], [hash, 'content']);
          assert.deepEqual(filesBelow(dir()), brought, "the user's folder is as it was");
        }
        bring([
          { file: 'copy.zip', bytes: makeZip(entries.map((entry) => ({ ...entry, name: `some/${entry.name}` }))) },
        ]);
        const repacked = await prepare(path.join(home.path, 'data', 'repacked'), specOf(official), {
          from: path.join(dir(), 'copy.zip'),
        });
        checkRead(repacked, official);
        assert.deepEqual([repacked.hash, repacked.verified], [hash, 'content']);
      });

      it('is recognised as folders train/<class> and test/<class>, or refused when classes or counts differ', async () => {
        bringOfficial(official.files);
        const { train, test, root } = await prepare(ready(), specOf(official), { from: dir() });
        const folders = (rename: (label: number) => string) =>
          [
            ...train.map((sample) => ({ ...sample, split: 'train' })),
            ...test.map((sample) => ({ ...sample, split: 'test' })),
          ].map(({ file, label, split }, i) => ({
            file: `x/${split}/${rename(label)}/${i}.jpg`,
            bytes: fs.readFileSync(path.join(root, file)),
          }));
        const names = official.classes.map((each) => each.replace(/[/ ]/g, '_').toUpperCase());
        const files = folders((label) => names[label]);
        const others = folders((label) => (label === 0 ? 'weasel' : names[label]));
        bring(files);
        const copy = await prepare(path.join(home.path, 'data', 'copy'), specOf(official), { from: dir() });
        assert.deepEqual([copy.train.length, copy.test.length, copy.verified], [train.length, test.length, 'content']);
        assert.deepEqual(copy.train.map(({ label }) => label).sort(), train.map(({ label }) => label).sort());
        bring(files.slice(1));
        fs.rmSync(ready(), { recursive: true });
        await refuses(
          specOf(official),
          new RegExp(
            `not recognised as the data set ${name}: .*(found ${train.length - 1} and|images in train, found)`,
          ),
        );
        bring(others);
        await refuses(specOf(official), /class "weasel" is none of/);
      });

      it('refuses what lacks a file, and says what to fetch', async () => {
        for (const [i, missing] of official.files.entries()) {
          bringOfficial(official.files.filter((file) => file !== missing));
          if (official.files.length === 1) fs.mkdirSync(dir(), { recursive: true });
          const { message, fix } = await refuses(
            specOf(official),
            official.files.length === 1 ? /holds nothing of the data set/ : /not recognised as the data set .*missing/,
          );
          if (official.files.length > 1) assert.ok(message.includes(`${missing.file}: not found`), message);
          assert.ok(
            fix.includes(missing.file) &&
              fix.includes(String(bytesOf(official.files[i]).length)) &&
              fix.includes(`npx rifle data prepare ${name} --from DIR`),
            fix,
          );
        }
      });

      it('refuses a file of the right size with the wrong hash', async () => {
        for (const wrong of official.files) {
          bringOfficial(official.files);
          const bytes = Buffer.from(bytesOf(wrong));
          bytes[bytes.length >> 1] ^= 1;
          fs.writeFileSync(path.join(dir(), wrong.file), bytes);
          await refuses(specOf(official), /is damaged: its sha256 should be [0-9a-f]{64}, found [0-9a-f]{64}/);
        }
      });

      it('refuses an archive that is cut off', async () => {
        const archive = official.files.find((file) => 'entries' in file)!;
        bringOfficial(official.files);
        const bytes = bytesOf(archive);
        fs.writeFileSync(
          path.join(dir(), archive.file),
          bytes.subarray(0, bytes.length - Math.min(2000, bytes.length >> 1)),
        );
        const { message } = await refuses(specOf(official), /damaged|missing/);
        assert.ok(
          message.includes(`one of this name has`) && message.includes(`the official one ${bytes.length}`),
          message,
        );
        // Even where the manifest itself describes the piece.
        const cut: OfficialFile = {
          file: archive.file,
          bytes: bytes.subarray(0, bytes.length - Math.min(2000, bytes.length >> 1)),
        };
        const files = official.files.map((file) => (file === archive ? cut : file));
        bringOfficial(files);
        await refuses(specOf(official, files), /damaged/);
      });

      const evil: [string, Entry, RegExp][] = [
        [
          'a path that climbs out',
          { name: '../../../evil', bytes: Buffer.from('x') },
          /"\.\.\/\.\.\/\.\.\/evil" lies outside/,
        ],
        ['an absolute path', { name: '/tmp/rifle-evil', bytes: Buffer.from('x') }, /"\/tmp\/rifle-evil" lies outside/],
        ['a link out', { name: 'images', kind: 'symlink', target: '/etc' }, /"images" is a link, a device or unknown/],
      ];
      for (const [what, entry, why] of evil) {
        it(`refuses an archive with ${what}`, async () => {
          const archive = official.files.find((file) => 'entries' in file)!;
          if (!('entries' in archive)) throw new Error('no archive');
          const files = official.files.map((file) =>
            file === archive ? { ...archive, entries: [...archive.entries, entry] } : file,
          );
          bringOfficial(files);
          await refuses(specOf(official, files), why);
          // And re-packed, where no hash is right.
          await refuses(specOf(official), why);
        });
      }

      it('refuses lists that name an image that is not there', async () => {
        const files = official.files.map((file): OfficialFile =>
          'entries' in file
            ? { ...file, entries: file.entries.filter((entry) => !entry.name.endsWith(official.image)) }
            : file,
        );
        if (name === 'caltech-101' || name.startsWith('caltech-256')) return; // which have no lists: their counts tell
        bringOfficial(files);
        await refuses(specOf(official, files), /missing/);
      });
    });
  }

  describe('drawn parts', () => {
    it('caltech-256-30 and -60 have the same test images, and the smaller training set is in the larger', async () => {
      const read = async (name: string) => {
        const official = officials.get(name)!;
        bringOfficial(official.files);
        return prepare(path.join(home.path, 'data', name), specOf(official), { from: dir() });
      };
      const [small, large] = [await read('caltech-256-30'), await read('caltech-256-60')];
      const files = (samples: Dataset['train']) => samples.map(({ file }) => file);
      assert.deepEqual(files(small.test), files(large.test));
      assert.ok(files(small.train).every((file) => files(large.train).includes(file)));
    });
  });

  it('whose class names are other than the manifest says: official files are right, others are refused', async () => {
    const official = officials.get('cub-200-2011')!;
    bringOfficial(official.files);
    const classes = ['001.Weasel', ...official.classes.slice(1)];
    assert.deepEqual(
      (await prepare(ready(), { ...specOf(official), classes }, { from: dir() })).classes,
      official.classes,
    );
    fs.rmSync(ready(), { recursive: true });
    bring([{ file: 'copy.zip', bytes: makeZip(allEntries(official)) }]);
    await refuses(
      { ...specOf(official), classes },
      /Class 1 of the data set cub-200-2011 should be "001\.Weasel", found "001\.Black_footed_Albatross"/,
    );
  });

  describe('of which no hash is known', () => {
    it('is used when its content is right, with a notice, and deleted when it is not', async () => {
      const official = officials.get('mit-indoor-67')!;
      const pages = [
        official.files.map(bytesOf),
        [bytesOf(official.files[0]), Buffer.from('<html>moved</html>'), bytesOf(official.files[2])],
      ];
      for (const [round, bytes] of pages.entries()) {
        const servers = await Promise.all(
          bytes.map((file) => startServer(file, [(_request, response, body) => void response.end(body)])),
        );
        const spec = specOf(official);
        const files = (spec.files as WebFile[]).map((file, i): WebFile => ({
          ...file,
          urls: [servers[i].url],
          ...(i > 0 && { sha256: null, bytes: null }),
        }));
        const attempt = prepare(path.join(home.path, 'data', String(round)), { ...spec, files }, {});
        if (round === 0) assert.equal((await attempt).verified, 'content');
        else {
          await assert.rejects(attempt, /TrainImages\.txt should have lines <class>\/<image>, found "<html>/);
          assert.deepEqual(
            files.map((file) => fs.existsSync(cachePath(file))),
            [true, false, false],
          );
        }
        await Promise.all(servers.map((server) => server.close()));
      }
    });
  });

  it('says what to fetch by hand where the host is gone, and tries no address', async () => {
    await assert.rejects(datasets.load('stanford-cars'), (error: unknown) => {
      assert.ok(error instanceof KitError);
      assert.match(
        error.message,
        /cannot be downloaded: of cars_train\.tgz, cars_test\.tgz, cars_test_annos_withlabels\.mat, car_devkit\.tgz its host no longer serves it/,
      );
      assert.match(
        error.fix,
        /cars_train\.tgz \(979269282 bytes, sha256 512b227b[0-9a-f]+\), once at http:\/\/ai\.stanford\.edu/,
      );
      assert.match(error.fix, /npx rifle data prepare stanford-cars --from DIR/);
      return true;
    });
  });

  it('refuses a folder that is missing, empty or of something else', async () => {
    const spec = specOf(officials.get('cub-200-2011')!);
    await refuses(spec, /There is no folder/);
    fs.mkdirSync(dir());
    await refuses(spec, /holds nothing of the data set/);
    bring([{ file: 'holiday.jpg', bytes: Buffer.from('x') }]);
    await refuses(spec, /not recognised as the data set cub-200-2011: The file images\.txt is missing/);
  });
});
