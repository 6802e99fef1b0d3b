// Every number of results/, README and docs/reproduction.md comes from the bundle beside them; and a digit that was
// changed in any of them is seen.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../src/base/home';
import type { LayeredRun } from '../../src/report/frames/layer-frames';
import { exportBundle } from '../../src/runs/bundle/export-bundle';
import { numericsOf, runId } from '../../src/runs/store/identity';
import { RunStore } from '../../src/runs/store/store';
import { syntheticLayers } from '../report/layers';
import { blockNames, PAGES, resultsFolder, resultTexts, withBlocks, type ResultTexts } from './results';

for (const scale of ['mini'])
  (fs.existsSync(path.join(resultsFolder(scale), 'runs.tar.gz')) ? describe : describe.skip)(
    `the results at scale ${scale}`,
    function () {
      this.timeout(60_000);
      const folder = resultsFolder(scale);
      let texts: ResultTexts;
      before(async () => (texts = await resultTexts(folder, scale)));

      it('are the tables of its bundle, digit by digit, and no other', () => {
        const files = fs.readdirSync(folder).filter((file) => file.endsWith('.csv'));
        assert.deepEqual(files.sort(), [...texts.csv.keys()].sort());
        for (const [name, text] of texts.csv)
          assert.equal(fs.readFileSync(path.join(folder, name), 'utf8'), text, `${name}: run \`npm run results\``);
      });

      it('stand in README and in the report of reproduction as they are', () => {
        for (const page of PAGES) {
          const text = fs.readFileSync(path.join(packageRoot(), page), 'utf8');
          const names = blockNames(text);
          assert.ok(names.length > 0 && names.every((name) => texts.blocks.has(name)), `${page}: ${names.join(', ')}`);
          assert.equal(text, withBlocks(text, texts.blocks), `${page}: run \`npm run results\``);
        }
      });
    },
  );

describe('results from a bundle', function () {
  this.timeout(60_000);
  let folder: string;
  let same: ResultTexts;
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-results-'));
    same = await textsOf('same', (run) => run);
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  const textsOf = async (name: string, change: (run: LayeredRun) => LayeredRun): Promise<ResultTexts> => {
    const store = new RunStore(path.join(folder, name));
    for (const run of syntheticLayers({ 'fine-tuning': [0.8, 0.81], rifle: [0.82, 0.8] })) {
      const { spec, dataset, weights } = run.record;
      const numerics = numericsOf(spec);
      const id = runId({ spec, data: dataset.hash, weights: weights.hash }, numerics);
      const { record, layers } = change({ ...run, record: { ...run.record, id, numerics } });
      await store.put(record, layers);
    }
    const file = path.join(folder, `${name}.tar.gz`);
    await exportBundle(store, store.ids(), file);
    return resultTexts(file, 'mini');
  };

  it('differ when a digit of a record or of the numbers of layers differs', async () => {
    const record = await textsOf('record', (run) => {
      if (run.record.method !== 'rifle' || run.record.spec.seed !== 1) return run;
      const epochs = run.record.epochs.map((row) => (row.epoch === 8 ? { ...row, top1: 0.801 } : row));
      return { ...run, record: { ...run.record, epochs, top1: 0.801 } };
    });
    for (const name of ['runs.csv', 'accuracy.csv']) assert.notEqual(record.csv.get(name), same.csv.get(name), name);
    assert.notEqual(record.blocks.get('methods'), same.blocks.get('methods'));
    const layer = await textsOf('layer', (run) => ({
      ...run,
      layers: run.layers.map((row) => (row.epoch === 8 ? { ...row, gradientNorm: row.gradientNorm * 1.000001 } : row)),
    }));
    assert.notEqual(layer.csv.get('gradient-depth.csv'), same.csv.get('gradient-depth.csv'));
    assert.deepEqual(layer.csv.get('accuracy.csv'), same.csv.get('accuracy.csv'));
  });

  it('replace what stands between the marks of a page, and nothing else', () => {
    const { blocks } = same;
    const page = (text: string): string => `a\n<!-- results: methods -->\n${text}<!-- end of results -->\nb 82.00\n`;
    const right = withBlocks(page(''), blocks);
    assert.equal(right, page(blocks.get('methods')!));
    assert.deepEqual(blockNames(right), ['methods']);
    assert.equal(withBlocks(right.replace('81.00', '81.10'), blocks), right, 'a digit that was changed by hand');
    assert.match(right, /81\.00/);
  });
});
