// Runs of a bundle made again: one small training, and what is graded or refused without one.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { finetune } from '../../src/runs/finetune';
import type { RunRecord } from '../../src/runs/store/record';
import { RunStore } from '../../src/runs/store/store';
import { repeatRuns, sampleOf } from '../../src/studies/against';
import '../../src/studies/built-in';
import { syntheticRecord } from '../report/records';
import { makeImageFolder } from '../runs/image-folder';

describe('a sample of runs', () => {
  const records = Array.from({ length: 20 }, (_, seed) => syntheticRecord({ seed }));
  const ids = (found: RunRecord[]) => found.map(({ id }) => id);
  it('is the same for any order, another one for another seed, and begins a larger one', () => {
    const three = ids(sampleOf(records, 3));
    assert.deepEqual(ids(sampleOf([...records].reverse(), 3)), three);
    assert.deepEqual(ids(sampleOf(records, 5)).slice(0, 3), three);
    assert.notDeepEqual(ids(sampleOf(records, 3, 1)), three);
    assert.equal(sampleOf(records).length, 20);
  });
});

describe('runs of a bundle made again', function () {
  this.timeout(120_000);
  let folder: string;
  let dataset: string;
  let record: RunRecord;
  let expected: RunStore;
  const before_ = process.env.RIFLE_DATA;
  const again = (): RunStore => new RunStore(fs.mkdtempSync(path.join(folder, 'again-')));
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-against-'));
    dataset = await makeImageFolder({ trainPerClass: 4, testPerClass: 2 });
    expected = new RunStore(path.join(folder, 'runs'));
    record = await finetune(
      { dataset, backbone: 'efficientnet_lite0.tf_in1k', weights: 'random', imageSize: 32, epochs: 1, batchSize: 4 },
      { runs: expected, keepWeights: false },
    );
    process.env.RIFLE_DATA = dataset;
  });
  after(() => {
    if (before_ === undefined) delete process.env.RIFLE_DATA;
    else process.env.RIFLE_DATA = before_;
    for (const made of [folder, dataset]) fs.rmSync(made, { recursive: true, force: true });
  });

  it('have the same bits; a changed number of the bundle is seen', async () => {
    const into = again();
    const [{ graded, why }] = await repeatRuns(expected, into);
    assert.deepEqual([graded?.grade, graded?.firstDifferentEpoch, why], ['same bits', null, null]);
    const other = new RunStore(path.join(folder, 'other'));
    const epochs = record.epochs.map((row) => ({ ...row, top1: row.top1 + 0.25 }));
    await other.put({ ...record, epochs, top1: record.top1 + 0.25 }, expected.layers(record.id));
    const [found] = await repeatRuns(other, into); // finished there: not trained again
    assert.equal(found.graded?.grade, 'different');
  });

  it('are named with the reason where they are another run here, or the data set is missing', async () => {
    const older = new RunStore(path.join(folder, 'older'));
    await older.put({ ...record, id: 'ab'.repeat(8), numerics: { ...record.numerics, kit: 1 } }, []);
    const [{ graded, why }] = await repeatRuns(older, again());
    assert.equal(graded, null);
    assert.match(why!, /numerics of kit: 1 in the bundle/);
    delete process.env.RIFLE_DATA;
    const [missing] = await repeatRuns(expected, again());
    assert.equal(missing.graded, null);
    assert.ok(missing.why!.includes(record.dataset.name));
  });
});
