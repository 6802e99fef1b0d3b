// The readers of a store of runs, whose files may come from elsewhere: records, rows of layers, journals, the index,
// predictions and checkpoints; and the cache of prepared arrays.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import stableStringify from 'safe-stable-stringify';
import { kitHome, packageRoot } from '../../src/base/home';
import { methodsTable } from '../../src/report';
import { runsTable } from '../../src/report/page/provenance';
import { preparedArrays } from '../../src/runs/prepared';
import { Checkpoints } from '../../src/runs/store/checkpoint';
import { layersText, recordText } from '../../src/runs/store/format/record-file';
import { writePredictions } from '../../src/runs/store/predictions';
import { RunStore } from '../../src/runs/store/store';
import { unfinishedRuns } from '../../src/runs/store/unfinished';
import { verifyRun } from '../../src/runs/store/verify';
import '../../src/studies/built-in';
import { syntheticRecord } from '../report/records';
import { fileTarget, outcome, scratch, type FuzzTarget, type FuzzTargets } from './target';

const record = syntheticRecord({ method: 'rifle', epochs: 3 });
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** JSON with its checksum made right, where it is JSON: `field` is the name of the checksum, of all other fields. */
const repairSum =
  (field: string) =>
  (bytes: Buffer): Buffer => {
    try {
      const { [field]: _, ...rest } = JSON.parse(bytes.toString()) as Record<string, unknown>;
      const sum = sha256(stableStringify(rest)!);
      return Buffer.from(JSON.stringify({ ...rest, [field]: field === 'checksums' ? { record: sum } : sum }));
    } catch {
      return bytes;
    }
  };

/** The root of a store from the path of a file in one of its runs. */
const storeOf = (file: string): RunStore => new RunStore(path.dirname(path.dirname(file)));

/** Everything that lists a store, and what is made of the runs that it lists. */
async function useStore(store: RunStore): Promise<void> {
  const records = [...store.list(() => undefined), ...store.brief(() => undefined)];
  if (records.length > 0) runsTable(records).toText(100);
  await outcome(() => methodsTable(records));
  unfinishedRuns(store);
  for (const id of store.ids()) await outcome(() => verifyRun(store, id));
}

function recordTarget(): FuzzTarget {
  const older = fs.readFileSync(path.join(packageRoot(), 'test', 'fixtures', 'runs', 'record-format-1.json'));
  return fileTarget({
    name: 'records',
    file: `${record.id}/record.json`,
    seeds: [Buffer.from(recordText(record, {})), Buffer.from(JSON.stringify(record)), older],
    repair: repairSum('checksums'),
    async read(file) {
      const store = storeOf(file);
      const found = await outcome(() => store.find(record.id));
      assert.ok(!found || found.id === record.id);
      await useStore(store);
    },
  });
}

function indexTarget(): FuzzTarget {
  const folder = scratch();
  const store = new RunStore(folder);
  const file = path.join(folder, 'index.json');
  fs.mkdirSync(store.folder(record.id));
  fs.writeFileSync(path.join(store.folder(record.id), 'record.json'), recordText(record, {}));
  const { size, mtimeMs } = fs.statSync(path.join(store.folder(record.id), 'record.json'));
  const { environment, dataset, ...rest } = record;
  const indexed = [size, mtimeMs, { ...rest, epochs: rest.epochs.slice(-1), environment: 0, dataset: 1 }];
  const body = JSON.stringify({ format: 3, shared: [environment, dataset], runs: { [record.id]: indexed } });
  return {
    name: 'index',
    seeds: [Buffer.from(`${sha256(body)}\n${body}`)],
    repair(bytes) {
      const rest = bytes.toString().replace(/^[^\n]*\n/, '');
      return Buffer.from(`${sha256(rest)}\n${rest}`);
    },
    async run(bytes) {
      fs.writeFileSync(file, bytes);
      assert.deepEqual(
        store.brief().map(({ id }) => id),
        [record.id],
      );
      await useStore(store);
    },
    close: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}

function layersTarget(): FuzzTarget {
  const rows = [1, 2].flatMap((epoch) =>
    (['kernel', 'norm', 'head'] as const).map((kind, place) => ({
      epoch,
      layer: `stage${place}/conv`,
      place,
      kind,
      gradientNorm: 0.5,
      updateNorm: 1e-3,
      weightDistance: place === 2 ? NaN : 0.25,
    })),
  );
  return fileTarget({
    name: 'layers',
    file: `${record.id}/layers.json`,
    seeds: [Buffer.from(layersText(rows))],
    async read(file) {
      for (const row of (await outcome(() => storeOf(file).layers(record.id))) ?? [])
        assert.ok(typeof row.layer === 'string' && typeof row.gradientNorm === 'number');
    },
  });
}

function journalTarget(): FuzzTarget {
  const line = (event: string, details: object = {}): string =>
    `${JSON.stringify({ at: '2026-01-01T00:00:00.000Z', event, host: 'h', pid: 7, ...details })}\n`;
  const dataset = { name: 'elpv', hash: 'ab'.repeat(32), from: 'elpv' };
  const text =
    line('started', { spec: record.spec, dataset }) +
    line('checkpoint', { epoch: 2, step: 0 }) +
    line('notice', { message: 'm' });
  return fileTarget({
    name: 'journals',
    file: `${record.id}/journal.jsonl`,
    seeds: [Buffer.from(text), Buffer.from(line('resumed') + line('stopped') + line('failed', { message: 'm' }))],
    read: (file) => useStore(storeOf(file)),
  });
}

async function predictionsTarget(): Promise<FuzzTarget> {
  const folder = scratch();
  const file = path.join(folder, 'predictions.safetensors');
  await writePredictions(file, {
    logits: Float32Array.of(1, 2, 3, 4, 5, 6),
    labels: Int32Array.of(0, 1),
    classes: 3,
    files: ['a.png', 'b.png'],
    classNames: ['x', 'y', 'z'],
    epoch: 2,
    evaluatedOn: 'test',
  });
  const seed = fs.readFileSync(file);
  fs.rmSync(folder, { recursive: true });
  return fileTarget({
    name: 'predictions',
    file: `${record.id}/predictions.safetensors`,
    seeds: [seed],
    repair(bytes) {
      const end = bytes.lastIndexOf('}}');
      if (end >= 8) bytes.writeBigUInt64LE(BigInt(end + 2 - 8), 0);
      return bytes;
    },
    async read(file) {
      const found = await outcome(() => storeOf(file).predictions(record.id));
      if (!found) return;
      assert.equal(found.logits.length, found.files.length * found.classes);
      assert.ok(found.files.every((name) => typeof name === 'string'));
      assert.ok([...found.labels].every((label) => label >= 0 && label < found.classNames.length));
    },
  });
}

async function checkpointTarget(): Promise<FuzzTarget> {
  const folder = scratch();
  const file = await new Checkpoints(folder, 'aa', 2).write(
    {
      epoch: 1,
      step: 0,
      rows: [],
      layerRows: [],
      sums: { images: 3, loss: 0.3, crossEntropy: 0.3, correct: 2, trainSeconds: 1, dataWaitSeconds: 0 },
      layerSums: { steps: 0, gradients: [1], updates: [0.1] },
      lastLoss: null,
      variables: { 'conv.weight': Float32Array.of(1.5, -0, 3e-45) },
    },
    { startedAt: '2026-01-01T00:00:00.000Z', wallSeconds: 1, peakMemoryMb: 9, keepWeights: false },
  );
  const [json, numbers] = [file, file.replace(/json$/, 'safetensors')].map((each) => fs.readFileSync(each));
  const repair = repairSum('sha256');
  return {
    name: 'checkpoints',
    // The first byte says which of the two files of a checkpoint the rest is.
    seeds: [Buffer.concat([Buffer.from([0]), json]), Buffer.concat([Buffer.from([1]), numbers])],
    repair: (bytes) => (bytes[0] === 0 ? Buffer.concat([Buffer.from([0]), repair(bytes.subarray(1))]) : bytes),
    async run(bytes) {
      fs.writeFileSync(file, bytes[0] === 0 ? bytes.subarray(1) : json);
      fs.writeFileSync(file.replace(/json$/, 'safetensors'), bytes[0] === 0 ? numbers : bytes.subarray(1));
      const found = await outcome(() => new Checkpoints(folder, 'aa', 2).latest());
      assert.ok(found === undefined || found.checkpoint !== null || found.damaged.length === 1);
      if (!found?.checkpoint) return;
      assert.deepEqual(found.checkpoint.state.variables['conv.weight'], Float32Array.of(1.5, -0, 3e-45));
    },
    close: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}

async function preparedTarget(): Promise<FuzzTarget> {
  const home = scratch();
  const before = process.env.RIFLE_HOME;
  const within = async <T>(use: () => Promise<T>): Promise<T> => {
    process.env.RIFLE_HOME = home;
    try {
      return await use();
    } finally {
      if (before === undefined) delete process.env.RIFLE_HOME;
      else process.env.RIFLE_HOME = before;
    }
  };
  const arrays = { stage1: Float32Array.of(0.25, 0.75), stage2: Float32Array.of(1) };
  const open = (): Promise<unknown> => within(() => preparedArrays({ of: 'fuzz' }, () => Promise.resolve(arrays)));
  await open();
  const file = await within(async () => {
    const [name] = await fs.promises.readdir(kitHome('prepared'));
    return kitHome('prepared', name);
  });
  return {
    name: 'prepared',
    seeds: [fs.readFileSync(file)],
    async run(bytes) {
      fs.writeFileSync(file, bytes);
      assert.deepEqual(await open(), arrays);
    },
    close: () => fs.rmSync(home, { recursive: true, force: true }),
  };
}

/** The targets by name, each made when it is asked for. */
export const targets: FuzzTargets = {
  records: recordTarget,
  index: indexTarget,
  layers: layersTarget,
  journals: journalTarget,
  predictions: predictionsTarget,
  checkpoints: checkpointTarget,
  prepared: preparedTarget,
};
