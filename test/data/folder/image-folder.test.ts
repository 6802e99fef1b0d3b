// Folders of one's own images: what is read, and what is said when they are not as they should be.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { mock } from 'node:test';
import { datasets } from '../../../src/data/catalog';
import { KitError } from '../../../src/base/errors';
import { makeImageFolder, useFreshHome } from '../fresh-home';

const COUNTS = { train: { cat: 3, dog: 2 }, test: { cat: 1, dog: 2 } };

describe('datasets.fromFolder', () => {
  const home = useFreshHome();
  const root = () => path.join(home.path, 'pets');
  const remove = (...parts: string[]) => fs.rmSync(path.join(root(), ...parts), { recursive: true });
  const write = (file: string, text = '') => {
    fs.mkdirSync(path.dirname(path.join(root(), file)), { recursive: true });
    fs.writeFileSync(path.join(root(), file), text);
  };
  const refuses = async (code: string, why = /./) =>
    assert.rejects(datasets.fromFolder(root()), (error: unknown) => {
      assert.ok(error instanceof KitError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, why);
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

  it('reports a full or read-only disk for the hash', async () => {
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

  it('refuses a folder that is not there, or is a file', async () => {
    remove();
    await refuses('DATASET_UNREADABLE', /does not exist/);
    await assert.rejects(datasets.load(root()), KitError);
    fs.writeFileSync(root(), '');
    await refuses('DATASET_UNREADABLE', /is no folder/);
  });

  it('refuses a folder with one of train and test, with them in another spelling, or with neither', async () => {
    remove('test');
    await refuses('DATASET_SPLIT_MISSING', /no folder "test".*Found "train"/);
    fs.renameSync(path.join(root(), 'train'), path.join(root(), 'Train'));
    await refuses('DATASET_LAYOUT_UNKNOWN', /the folder "Train"/);
    remove('Train');
    await refuses('DATASET_LAYOUT_UNKNOWN', /no folders.*an empty folder/);
  });

  it('refuses one class only', async () => {
    remove('train', 'cat');
    remove('test', 'cat');
    await refuses('DATASET_ONE_CLASS', /"dog"/);
  });

  it('refuses an empty class, and says what is in it', async () => {
    remove('test', 'cat', '0.png');
    await refuses('DATASET_CLASS_EMPTY', /"test\/cat" holds no files/);
    write('test/cat/notes.txt');
    await refuses('DATASET_CLASS_EMPTY', /"test\/cat" holds 1 files, none of which ends in \.jpg/);
  });

  it('refuses classes that differ between train and test', async () => {
    fs.renameSync(path.join(root(), 'test/cat'), path.join(root(), 'test/tiger'));
    await refuses('DATASET_CLASS_MISMATCH', /only in "train": "cat"; only in "test": "tiger"/);
  });

  it('refuses class names that differ only in case or Unicode form', async () => {
    fs.renameSync(path.join(root(), 'test/cat'), path.join(root(), 'test/Cat'));
    await refuses('DATASET_CLASS_NAMES_ALIKE', /upper and lower case: "train\/cat" and "test\/Cat"/);
    fs.renameSync(path.join(root(), 'test/Cat'), path.join(root(), 'test/cat'));
    for (const name of ['caf\u00e9', 'cafe\u0301']) {
      write(`train/${name}/0.png`);
      write(`test/${name}/0.png`);
    }
    await refuses('DATASET_CLASS_NAMES_ALIKE', /Unicode form: "cafe\\u\{301\}" and "caf\\u\{e9\}"/);
  });

  it('refuses a folder without any image', async () => {
    for (const name of ['cat', 'dog']) {
      remove('train', name);
      write(`train/${name}/notes.txt`);
    }
    await refuses('DATASET_NO_IMAGES', /in "train": found 2 class folders and 2 other files/);
  });

  describe('with links and odd files', () => {
    const link = (target: string, file: string) => fs.symlinkSync(target, path.join(root(), file));

    it('follows a link to a file or a folder elsewhere', async () => {
      fs.cpSync(path.join(root(), 'train/cat'), path.join(home.path, 'more'), { recursive: true });
      link(path.join(home.path, 'more'), 'train/cat/more');
      fs.renameSync(path.join(root(), 'train/dog/1.png'), path.join(home.path, 'one.png'));
      link('../../../one.png', 'train/dog/1.png');
      assert.equal((await datasets.fromFolder(root())).train.length, 8);
    });

    it('refuses what is met twice: loops, other classes, other splits, doubled links', async () => {
      for (const [target, at] of [
        ['.', 'train/cat/x'],
        ['../..', 'train/cat/up'],
        ['../dog', 'train/cat/dogs'],
        ['../../test/cat', 'train/cat/tests'],
        ['../../test/cat/0.png', 'train/cat/leak.png'],
        ['dog', 'train/puppy'],
        [home.path, 'train/cat/home'],
      ]) {
        link(target, at);
        await refuses('DATASET_LINK_TWICE', /are the same/);
        remove(at);
      }
    });

    it('refuses a broken link, and one that leads to itself', async () => {
      link('/nope.jpg', 'train/cat/gone.jpg');
      await refuses('DATASET_LINK_BROKEN', /"train\/cat\/gone\.jpg" is a link to "\/nope\.jpg", which does not exist/);
      remove('train/cat/gone.jpg');
      link('self.jpg', 'train/cat/self.jpg');
      await refuses('DATASET_LINK_BROKEN', /leads back to itself/);
    });

    it('refuses pipes and devices that are named as images, without reading them', async () => {
      execFileSync('mkfifo', [path.join(root(), 'train/cat/f.png')]);
      await refuses('DATASET_NOT_A_FILE', /"train\/cat\/f\.png"/);
      remove('train/cat/f.png');
      link('/dev/zero', 'train/cat/z.png');
      await refuses('DATASET_NOT_A_FILE', /"train\/cat\/z\.png"/);
    });

    it('refuses names that are not UTF-8, of images and of classes', async () => {
      const odd = (folder: string, ...bytes: number[]) =>
        Buffer.concat([Buffer.from(path.join(root(), folder) + path.sep), Buffer.from(bytes)]);
      fs.writeFileSync(odd('train/cat', 0xe9, 0x2e, 0x6a, 0x70, 0x67), '');
      await refuses('DATASET_NAME_NOT_UTF8', /train\/cat\/é\.jpg/);
      fs.rmSync(odd('train/cat', 0xe9, 0x2e, 0x6a, 0x70, 0x67));
      fs.mkdirSync(odd('train', 0xff));
      await refuses('DATASET_NAME_NOT_UTF8', /train\/ÿ/);
    });

    it('shows control characters of names as escapes', async () => {
      link('/gone', 'train/cat/\x1b[2Jx.png');
      await refuses('DATASET_LINK_BROKEN', /\\u001b\[2Jx\.png/);
    });
  });

  describe('without splits, with a validation folder, or with labels.csv', () => {
    const flatRoot = () => path.join(home.path, 'flat');
    const csv = (...lines: string[]) => fs.writeFileSync(path.join(flatRoot(), 'labels.csv'), lines.join('\n'));
    const refusesFlat = (code: string, why = /./) =>
      assert.rejects(
        datasets.fromFolder(flatRoot()),
        (error: KitError) => error.code === code && why.test(error.message) && error.fix !== '',
      );
    beforeEach(() => makeImageFolder(home.path, { flat: { cat: 8, dog: 5 } }));

    it('splits one folder a class by the rule, which is part of the hash', async () => {
      const { train, test, split, notices, hash } = await datasets.load(flatRoot());
      assert.deepEqual(split, { rule: 'stratified', version: 1, test: 0.25, seed: 2020 });
      assert.deepEqual(
        [0, 1].map((label) => test.filter((sample) => sample.label === label).length),
        [2, 1], // round(8 / 4), round(5 / 4)
      );
      assert.equal(train.length + test.length, 13);
      assert.match(notices!.join(), /25 % of each class are test \(seed 2020\)/);
      assert.equal(datasets.state(flatRoot()), 'ready');
      for (const [name, samples] of Object.entries({ train, test })) {
        for (const { file } of samples) {
          fs.mkdirSync(path.join(home.path, 'split', name, path.dirname(file)), { recursive: true });
          fs.copyFileSync(path.join(flatRoot(), file), path.join(home.path, 'split', name, file));
        }
      }
      assert.notEqual((await datasets.load(path.join(home.path, 'split'))).hash, hash);
    });

    it('refuses a class of one image without a split', async () => {
      fs.mkdirSync(path.join(flatRoot(), 'cow'));
      fs.copyFileSync(path.join(flatRoot(), 'cat/0.png'), path.join(flatRoot(), 'cow/0.png'));
      await refusesFlat('SPLIT_CLASS_TOO_SMALL', /"cow"/);
    });

    it('reads a validation folder, and names images that are in two splits', async () => {
      await makeImageFolder(root(), { val: { cat: 1, dog: 1 } });
      fs.copyFileSync(path.join(root(), 'train/cat/0.png'), path.join(root(), 'val/cat/0.png'));
      const { validation, notices } = await datasets.fromFolder(root());
      assert.deepEqual(validation, [
        { file: 'val/cat/0.png', label: 0 },
        { file: 'val/dog/0.png', label: 1 },
      ]);
      assert.match(
        notices!.join(),
        /2 validation or test images have the same bytes.*val\/cat\/0\.png and train\/cat\/0\.png/,
      );
      fs.renameSync(path.join(root(), 'val/cat'), path.join(root(), 'val/cow'));
      await refuses('DATASET_CLASS_MISMATCH', /only in "train": "cat"; only in "val": "cow"/);
    });

    it('reads labels.csv with splits and groups', async () => {
      csv(
        '\uFEFFfile,label,split,group',
        'cat/0.png,"a, ""b""",train,g1',
        'cat/1.png,"a, ""b""",test,',
        'dog/0.png,c,train,g1\r',
        'dog/1.png,c,test,g2',
        'dog/2.png,c,val,g3',
        '',
      );
      const { classes, train, validation, test, groups } = await datasets.fromFolder(flatRoot());
      assert.deepEqual(classes, ['a, "b"', 'c']);
      assert.deepEqual(train, [
        { file: 'cat/0.png', label: 0 },
        { file: 'dog/0.png', label: 1 },
      ]);
      assert.deepEqual(validation, [{ file: 'dog/2.png', label: 1 }]);
      assert.deepEqual(
        test.map(({ file }) => file),
        ['cat/1.png', 'dog/1.png'],
      );
      assert.deepEqual(groups, { 'cat/0.png': 'g1', 'dog/0.png': 'g1', 'dog/1.png': 'g2', 'dog/2.png': 'g3' });
    });

    it('splits labels.csv without dividing a group', async () => {
      const rows = ['cat', 'dog'].flatMap((name, i) =>
        Array.from({ length: [8, 5][i] }, (_, k) => `${name}/${k}.png,${name},g${Math.floor(k / 2)}`),
      );
      csv('file,label,group', ...rows);
      const { train, test, groups, split } = await datasets.fromFolder(flatRoot());
      assert.equal(split?.rule, 'grouped');
      const groupsOf = (samples: typeof train) => new Set(samples.map(({ file }) => groups![file]));
      assert.ok(test.length > 0 && ![...groupsOf(test)].some((group) => groupsOf(train).has(group)));
    });

    it('refuses a labels.csv that is wrong, by line', async () => {
      const good = ['cat/0.png,cat', 'dog/0.png,dog'];
      const cases: [string, string[], RegExp][] = [
        ['LABELS_INVALID', ['file,class', ...good], /Line 1 .*unknown column "class"/],
        ['LABELS_INVALID', ['label', 'cat'], /no column "file"/],
        ['LABELS_INVALID', ['file,label'], /no rows/],
        ['LABELS_INVALID', ['file,label', 'cat/0.png'], /Line 2 .*1 values/],
        ['LABELS_INVALID', ['file,label', ...good, '../x.png,cat'], /Line 4 .*no path inside/],
        ['LABELS_INVALID', ['file,label', 'cat/0.png,'], /Line 2 .*no label/],
        ['LABELS_INVALID', ['file,label', '"cat/0.png,cat'], /Line 2 .*quotation mark/],
        ['LABELS_INVALID', ['file,label,split', 'cat/0.png,cat,dev', 'dog/0.png,dog,train'], /split "dev"/],
        [
          'LABELS_INVALID',
          ['file,label,split', 'cat/0.png,cat,train', 'dog/0.png,dog,test'],
          /"cat" in "test"|"dog" in "train"/,
        ],
        ['LABELS_INVALID', ['file,label', 'cat/0.png,cat'], /one label only/],
        ['LABELS_DUPLICATE', ['file,label', ...good, './cat/0.png,dog'], /Line 4 .*"cat\/0\.png" again/],
        ['LABELS_FILE_MISSING', ['file,label', ...good, 'cow/7.png,cow'], /"cow\/7\.png" \(line 4\)/],
        [
          'LABELS_GROUP_DIVIDED',
          ['file,label,split,group', 'cat/0.png,cat,train,a', 'dog/0.png,dog,test,a'],
          /group "a".*train \(line 2\) and test \(line 3\)/,
        ],
      ];
      for (const [code, lines, why] of cases) {
        csv(...lines);
        await refusesFlat(code, why);
      }
    });
  });
});
