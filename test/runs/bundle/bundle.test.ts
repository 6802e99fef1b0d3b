// Bundles: what comes back is what went in; whatever was changed on the way is refused, and nothing is overwritten.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as tar from 'tar';
import type { KitError } from '../../../src/base/errors';
import { exportBundle } from '../../../src/runs/bundle/export-bundle';
import { importBundle, withBundle } from '../../../src/runs/bundle/import-bundle';
import { readManifest, writeManifest } from '../../../src/runs/bundle/manifest';
import { recordText } from '../../../src/runs/store/format/record-file';
import { KIT_NUMERICS, numericsOf, runId } from '../../../src/runs/store/identity';
import { writePredictions } from '../../../src/runs/store/predictions';
import type { LayerRow, RunRecord } from '../../../src/runs/store/record';
import { RunStore } from '../../../src/runs/store/store';
import { syntheticRecord } from '../../report/records';

/** A record whose id is that of its content. */
function soundRecord(seed: number, top1 = 0.8, kit = KIT_NUMERICS): RunRecord {
  const record = syntheticRecord({ seed, top1 });
  const { spec, dataset, weights } = record;
  const numerics = { ...numericsOf(spec), kit };
  return { ...record, numerics, id: runId({ spec, data: dataset.hash, weights: weights.hash }, numerics) };
}

const layersOf = ({ epochs }: RunRecord): LayerRow[] =>
  epochs.map(({ epoch, loss }) => ({
    epoch,
    layer: 'conv1',
    place: 0,
    kind: 'kernel',
    gradientNorm: loss,
    updateNorm: loss / 3,
    weightDistance: epoch / 7,
  }));

describe('a bundle of runs', () => {
  let folder: string;
  let store: RunStore;
  let other: RunStore;
  let file: string;
  const put = async (to: RunStore, record: RunRecord): Promise<string> => {
    await fs.promises.mkdir(to.folder(record.id), { recursive: true });
    await writePredictions(to.predictionsFile(record.id), {
      logits: Float32Array.of(record.spec.seed, 1, 2, 3),
      labels: Int32Array.of(0, 1),
      classes: 2,
      files: ['a.png', 'b.png'],
      classNames: ['a', 'b'],
      epoch: record.epochs.length,
      evaluatedOn: 'test',
    });
    await to.put(record, layersOf(record));
    return record.id;
  };
  /** The bundle with its content changed by `change`, and packed again. */
  const changed = async (change: (content: string) => void | Promise<void>): Promise<string> => {
    const content = fs.mkdtempSync(path.join(folder, 'content-'));
    await tar.extract({ file, cwd: content });
    await change(content);
    const made = path.join(folder, 'changed.tar.gz');
    await tar.create({ file: made, cwd: content, gzip: true }, fs.readdirSync(content));
    return made;
  };
  beforeEach(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-bundle-test-'));
    [store, other] = ['runs', 'other'].map((name) => new RunStore(path.join(folder, name)));
    file = path.join(folder, 'runs.tar.gz');
    for (const seed of [0, 1]) await put(store, soundRecord(seed));
    await exportBundle(store, store.ids(), file);
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('comes back as it was, and its bytes are the same again', async () => {
    const results = await importBundle(other, file);
    assert.deepEqual(
      results.map(({ state, isCurrent }) => [state, isCurrent]),
      [
        ['imported', true],
        ['imported', true],
      ],
    );
    assert.deepEqual(other.list(), store.list());
    for (const id of store.ids()) {
      assert.deepEqual(other.layers(id), store.layers(id));
      assert.deepEqual(await other.predictions(id), await store.predictions(id));
    }
    const again = path.join(folder, 'again.tar.gz');
    await exportBundle(other, other.ids(), again, { name: 'runs.tar.gz' });
    assert.ok(fs.readFileSync(again).equals(fs.readFileSync(file)));
    assert.deepEqual(fs.readdirSync(folder).sort(), ['again.tar.gz', 'other', 'runs', 'runs.tar.gz']);
  });

  it('describes each of its files in RO-Crate metadata', async () => {
    await withBundle(file, async (runs) => {
      const crate = JSON.parse(fs.readFileSync(path.join(runs.root, '..', 'ro-crate-metadata.json'), 'utf8'));
      const graph = crate['@graph'] as { '@id': string; '@type': string; hasPart?: { '@id': string }[] }[];
      const byId = new Map(graph.map((entity) => [entity['@id'], entity]));
      const reached: string[] = [];
      const walk = (id: string): void => {
        if (byId.get(id)?.['@type'] === 'File') reached.push(id);
        byId.get(id)?.hasPart?.forEach((part) => walk(part['@id']));
      };
      walk('./');
      const { files } = await readManifest(path.join(runs.root, '..'), file);
      assert.deepEqual(
        reached.sort(),
        ['manifest.json', ...Object.keys(files)].filter((name) => name !== 'ro-crate-metadata.json').sort(),
      );
    });
  });

  it('leaves weights behind, and is sound without them', async () => {
    const [id] = store.ids();
    fs.writeFileSync(store.weightsFile(id), 'weights');
    await store.put(store.find(id)!, store.layers(id));
    await exportBundle(store, [id], file);
    await importBundle(other, file);
    assert.deepEqual(Object.keys(other.findWithSums(id)!.checksums!).sort(), [
      'layers.json',
      'predictions.safetensors',
      'record',
    ]);
  });

  it('never overwrites a run: the same is left, one with the same numbers too, another one is named', async () => {
    const [same, differs] = [0, 1].map((seed) => soundRecord(seed));
    await put(other, { ...same, wallSeconds: 99, startedAt: '2026-11-28T00:00:00Z' });
    await put(other, { ...soundRecord(1, 0.7), id: differs.id });
    const before = other.list();
    const states = new Map((await importBundle(other, file)).map(({ run, state }) => [run, state]));
    assert.deepEqual([states.get(same.id), states.get(differs.id)], ['repeated', 'differs']);
    assert.deepEqual(other.list(), before);
    assert.deepEqual(
      (await importBundle(store, file)).map(({ state }) => state),
      ['present', 'present'],
    );
    fs.rmSync(path.join(store.folder(same.id), 'record.json'));
    assert.equal((await importBundle(store, file)).find(({ run }) => run === same.id)!.state, 'unfinished');
  });

  it('says which runs are of older numerics', async () => {
    const id = await put(store, soundRecord(2, 0.8, KIT_NUMERICS - 1));
    await exportBundle(store, store.ids(), file);
    const older = (await importBundle(other, file)).filter(({ isCurrent }) => !isCurrent);
    assert.deepEqual(older, [{ run: id, state: 'imported', isCurrent: false }]);
  });

  const inRun = (content: string, name: string): string => path.join(content, 'runs', store.ids()[0], name);
  const digit = (name: string) => (content: string) => {
    const text = fs.readFileSync(inRun(content, name), 'utf8');
    fs.writeFileSync(
      inRun(content, name),
      text.replace(/\.\d/, (found) => (found === '.1' ? '.2' : '.1')),
    );
  };
  const refused: [what: string, code: string, change: (content: string) => void | Promise<void>][] = [
    ['a changed digit of a record', 'BUNDLE_DAMAGED', digit('record.json')],
    ['a changed digit of the numbers of layers', 'BUNDLE_DAMAGED', digit('layers.json')],
    ['a missing record', 'BUNDLE_DAMAGED', (content) => fs.rmSync(inRun(content, 'record.json'))],
    [
      'a missing record that the manifest does not know of',
      'BUNDLE_DAMAGED',
      async (content) => {
        fs.rmSync(inRun(content, 'record.json'));
        fs.rmSync(path.join(content, 'manifest.json'));
        await writeManifest(content, store.ids());
      },
    ],
    ['a file more', 'BUNDLE_DAMAGED', (content) => fs.writeFileSync(inRun(content, 'more.json'), '{}')],
    ['no manifest', 'BUNDLE_DAMAGED', (content) => fs.rmSync(path.join(content, 'manifest.json'))],
    [
      'a newer form',
      'BUNDLE_NEWER',
      (content) => {
        const manifest = path.join(content, 'manifest.json');
        fs.writeFileSync(manifest, fs.readFileSync(manifest, 'utf8').replace('"format": 1', '"format": 2'));
      },
    ],
    [
      'a run of newer numerics',
      'BUNDLE_NEWER',
      async (content) => {
        const newer = soundRecord(7, 0.8, KIT_NUMERICS + 1);
        const to = path.join(content, 'runs', newer.id);
        fs.renameSync(inRun(content, ''), to);
        fs.writeFileSync(path.join(to, 'record.json'), recordText(newer, {}));
        fs.rmSync(path.join(content, 'manifest.json'));
        await writeManifest(content, [newer.id]);
      },
    ],
    [
      'a record whose checksums were made to fit, but not its id',
      'BUNDLE_RUN_WRONG',
      async (content) => {
        const record = store.find(store.ids()[0])!;
        const forged = { ...record, dataset: { ...record.dataset, hash: '0'.repeat(64) } };
        fs.writeFileSync(inRun(content, 'record.json'), recordText(forged, {}));
        fs.rmSync(path.join(content, 'manifest.json'));
        await writeManifest(content, store.ids());
      },
    ],
  ];
  for (const [what, code, change] of refused)
    it(`is refused with ${what}`, async () => {
      await assert.rejects(importBundle(other, await changed(change)), { code });
      assert.deepEqual(other.ids(), []);
    });

  it('is refused with a flipped byte anywhere', async () => {
    const bytes = fs.readFileSync(file);
    for (const at of [0, 2, 12, Math.floor(bytes.length / 3), Math.floor(bytes.length / 2), bytes.length - 6]) {
      const flipped = Buffer.from(bytes);
      flipped[at] ^= 0x10;
      fs.writeFileSync(path.join(folder, 'flipped.tar.gz'), flipped);
      await assert.rejects(importBundle(other, path.join(folder, 'flipped.tar.gz')), (error) => {
        assert.match((error as KitError).code, /^(ARCHIVE|BUNDLE)_/);
        return true;
      });
    }
    assert.deepEqual(other.ids(), []);
  });

  it('is not made of nothing, of unfinished runs, or of wrong ones', async () => {
    const [id] = store.ids();
    await assert.rejects(exportBundle(store, [], file), { code: 'BUNDLE_NO_RUNS' });
    fs.appendFileSync(path.join(store.folder(id), 'layers.json'), ' ');
    await assert.rejects(exportBundle(store, [id], file), { code: 'BUNDLE_RUN_WRONG' });
    fs.rmSync(path.join(store.folder(id), 'record.json'));
    await assert.rejects(exportBundle(store, [id], file), { code: 'BUNDLE_RUN_UNFINISHED' });
    await assert.rejects(importBundle(store, path.join(folder, 'none.tar.gz')), { code: 'BUNDLE_MISSING' });
  });
});
