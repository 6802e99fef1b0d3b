// Folders of one's own images: what is read, and what is said when they are not as they should be.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { mock } from 'node:test';
import { datasets } from '../../src/data/catalog';
import { KitError } from '../../src/base/errors';
import { makeImageFolder, useFreshHome } from './fresh-home';

const COUNTS = { train: { cat: 3, dog: 2 }, test: { cat: 1, dog: 2 } };

describe('datasets.fromFolder', () => {
  const home = useFreshHome();
  const root = () => path.join(home.path, 'pets');
  const remove = (...parts: string[]) => fs.rmSync(path.join(root(), ...parts), { recursive: true });
  const write = (file: string, text = '') => {
    fs.mkdirSync(path.dirname(path.join(root(), file)), { recursive: true });
    fs.writeFileSync(path.join(root(), file), text);
  };
  const refuses = async (...patterns: RegExp[]) =>
    assert.rejects(datasets.fromFolder(root()), (error: unknown) => {
      assert.ok(error instanceof KitError, String(error));
      for (const pattern of patterns) assert.match(error.message, pattern);
      assert.ok(error.message.includes(root()) && error.fix !== '');
      return true;
    });
  beforeEach(() => makeImageFolder(root(), COUNTS));

  it('reads classes and images in the order of their names', async () => {
    write('train/cat/notes.txt');
    write('train/cat/.hidden.png');
    write('train/.cache/x.png');
    fs.renameSync(path.join(root(), 'train/dog/1.png'), path.join(root(), 'train/dog/B.JPG'));
    fs.mkdirSync(path.join(root(), 'test/dog/more'));
    fs.renameSync(path.join(root(), 'test/dog/0.png'), path.join(root(), 'test/dog/more/a.png'));
    const dataset = await datasets.fromFolder(root());
    assert.equal(dataset.name, 'pets');
    assert.equal(dataset.root, root());
    assert.deepEqual(dataset.classes, ['cat', 'dog']);
    assert.deepEqual(dataset.train, [
      { file: 'train/cat/0.png', label: 0 },
      { file: 'train/cat/1.png', label: 0 },
      { file: 'train/cat/2.png', label: 0 },
      { file: 'train/dog/0.png', label: 1 },
      { file: 'train/dog/B.JPG', label: 1 },
    ]);
    assert.deepEqual(
      dataset.test.map(({ file }) => file),
      ['test/cat/0.png', 'test/dog/1.png', 'test/dog/more/a.png'],
    );
  });

  it('is loaded by its path, and known to be there', async () => {
    assert.deepEqual(await datasets.load(root()), await datasets.fromFolder(root()));
    assert.equal(datasets.state(root()), 'ready');
    assert.equal(datasets.state(path.join(root(), 'nowhere')), 'missing');
  });

  it('reads the images for the hash once, and again when one changes', async () => {
    let read = 0;
    const hash = async () => (await datasets.fromFolder(root(), { onProgress: () => read++ })).hash;
    const first = await hash();
    assert.equal(read, 8);
    assert.equal(await hash(), first);
    assert.equal(read, 8);
    fs.appendFileSync(path.join(root(), 'test/dog/0.png'), 'x');
    assert.notEqual(await hash(), first);
    assert.equal(read, 16);
  });

  it('says so when the disk is full or read-only where the hash is kept', async () => {
    for (const [code, why] of [
      ['ENOSPC', /is full/],
      ['EROFS', /cannot be written/],
    ] as const) {
      const writing = mock.method(fsp, 'writeFile', () => Promise.reject(Object.assign(new Error(code), { code })));
      try {
        await assert.rejects(
          datasets.fromFolder(root()),
          (error: unknown) => error instanceof KitError && why.test(error.message) && /RIFLE_HOME/.test(error.fix),
        );
      } finally {
        writing.mock.restore();
      }
    }
    assert.deepEqual(fs.readdirSync(path.join(home.path, 'pixels', 'folders')), []);
  });

  it('has the same hash wherever it lies', async () => {
    const { hash } = await datasets.fromFolder(root());
    fs.cpSync(root(), path.join(home.path, 'copy'), { recursive: true });
    assert.equal((await datasets.fromFolder(path.join(home.path, 'copy'))).hash, hash);
  });

  it('refuses a folder that is not there', async () => {
    remove();
    await refuses(/has no folder "train"/, /Found that it does not exist/);
    await assert.rejects(datasets.load(root()), KitError);
  });

  it('refuses a folder without train or test, and says what is there', async () => {
    remove('test');
    await refuses(/has no folder "test"/, /Found "train"/);
    remove('train');
    await refuses(/has no folder "train"/, /an empty folder/);
    for (let i = 0; i < 12; i++) write(`class ${i}/x.png`);
    await refuses(/"class 0", .* and 4 more/);
  });

  it('refuses one class only', async () => {
    remove('train', 'cat');
    remove('test', 'cat');
    await refuses(/one class only, "dog"/);
  });

  it('refuses an empty class, and says what is in it', async () => {
    remove('test', 'cat', '0.png');
    await refuses(/empty class: "test\/cat" holds no files/);
    write('test/cat/notes.txt');
    await refuses(/empty class: "test\/cat" holds 1 files, none of which ends in \.jpg/);
  });

  it('refuses classes that differ between train and test', async () => {
    fs.renameSync(path.join(root(), 'test/cat'), path.join(root(), 'test/Cat'));
    await refuses(/only in "train": "cat"; only in "test": "Cat"/);
  });

  it('refuses a folder without any image', async () => {
    for (const name of ['cat', 'dog']) {
      remove('train', name);
      write(`train/${name}/notes.txt`);
    }
    await refuses(/no images in "train": found 2 class folders and 2 other files/);
  });
});
