// Data sets that are defined outside the kit.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type KitError } from '../../src/base/errors';
import { datasets } from '../../src/data/catalog';
import { defineDataset, type DatasetDefinition } from '../../src/data/define-dataset';
import { datasetRegistry, registerDataset, findDataset } from '../../src/data/definitions';
import { makeTarGz } from './fetch/archive-makers';
import { makePng, useFreshHome } from './fresh-home';

const definition: DatasetDefinition = {
  name: 'jdoe/cells',
  version: 1,
  manifest: {
    title: 'Cells',
    classes: ['one', 'two'],
    files: [{ urls: ['https://example.org/cells.tar.gz'], file: 'cells.tar.gz', bytes: null, sha256: null, md5: null }],
    counts: { train: 4, test: 2 },
    licence: 'CC0-1.0',
    citation: 'nobody',
  },
  reader: {
    wants: (file) => file.endsWith('.png'),
    async read(tree) {
      const found = tree.paths.map((from) => {
        const file = from.slice(from.indexOf('cells/'));
        return { from, file, label: Number(file.includes('two')) };
      });
      const isTest = ({ file }: { file: string }): boolean => file.endsWith('2.png');
      return { train: found.filter((each) => !isTest(each)), test: found.filter(isTest), classes: null };
    },
  },
};

describe('defineDataset', () => {
  const home = useFreshHome();

  it('makes a data set that is listed, prepared and loaded by its name', async () => {
    const spec = defineDataset(definition);
    assert.equal(spec.name, 'jdoe/cells');
    assert.ok(datasets.list().some(({ name }) => name === 'jdoe/cells'));
    assert.equal(datasets.state('jdoe/cells'), 'missing');
    const entries = await Promise.all(
      ['one/0', 'one/1', 'one/2', 'two/0', 'two/1', 'two/2'].map(async (name, i) => ({
        name: `cells/${name}.png`,
        bytes: await makePng(10, 10, i),
      })),
    );
    const from = path.join(home.path, 'from');
    fs.mkdirSync(from);
    fs.writeFileSync(path.join(from, 'cells.tar.gz'), makeTarGz(entries));
    const dataset = await datasets.load('jdoe/cells', { from });
    assert.deepEqual([dataset.train.length, dataset.test.length, dataset.classes], [4, 2, ['one', 'two']]);
    assert.equal(datasets.state('jdoe/cells'), 'ready');
    defineDataset({ ...definition, version: 2 }); // what was prepared by the reader of version 1 no longer counts
    assert.equal(datasets.state('jdoe/cells'), 'missing');
  });

  it('replaces a definition of the same file, and refuses one from elsewhere', () => {
    defineDataset(definition);
    defineDataset(definition);
    const known = findDataset('jdoe/cells')!;
    const { file } = datasetRegistry.originOf('jdoe/cells')!;
    assert.ok(file!.endsWith('define-dataset.test.js'), file!);
    assert.throws(() => registerDataset(known, { file: '/elsewhere.ts', line: null }), { code: 'DATASET_NAME_TAKEN' });
  });

  it('refuses a name without a slash, a version, a field or a reader that is wrong', () => {
    const refuses = (changes: object, why: RegExp) =>
      assert.throws(
        () => defineDataset({ ...definition, ...changes }),
        (error: KitError) => error.code === 'DATASET_DEFINITION_INVALID' && why.test(error.message) && error.fix !== '',
      );
    refuses({ name: 'cells' }, /slash/);
    refuses({ version: 0 }, /version/);
    refuses({ manifest: { ...definition.manifest, classes: ['one'] } }, /classes/);
    refuses({ reader: 'no-such' }, /no reader "no-such"/);
    refuses({ reader: { wants: () => true } }, /`wants` and `read`/);
  });

  it('names the data sets that exist when one does not', async () => {
    await assert.rejects(datasets.load('jdoe/cels'), { code: 'UNKNOWN_DATA_SET' });
  });
});
