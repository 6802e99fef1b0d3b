// Records that were changed, forged or cut: each is named with a code, and none stops a list of the others.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { KitError } from '../../../../src/base/errors';
import { layersText, readLayers } from '../../../../src/runs/store/format/record-file';
import { RunStore } from '../../../../src/runs/store/store';
import { syntheticRecord } from '../../../report/records';

const good = syntheticRecord({ seed: 0 });
const bad = syntheticRecord({ seed: 1 });

type Path = readonly (string | number)[];

/** Paths of all leaves of a document. */
function leaves(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  return Object.entries(value).flatMap(([key, each]) =>
    leaves(each, [...at, Array.isArray(value) ? Number(key) : key]),
  );
}

/** `document` with another value at `at`. */
function changed(document: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  const copy = (Array.isArray(document) ? [...document] : { ...(document as object) }) as Record<
    string | number,
    unknown
  >;
  copy[key] = changed(copy[key], rest, value);
  return copy;
}

describe('the files of a finished run', () => {
  let store: RunStore;
  const file = (): string => path.join(store.folder(bad.id), 'record.json');
  /** What `list` and `brief` make of the store when the bad run's record is `text`. */
  const reading = (text: string): { listed: string[]; brief: string[]; codes: string[] } => {
    fs.writeFileSync(file(), text);
    const codes: string[] = [];
    const listed = store.list((_, { code }) => codes.push(code)).map(({ id }) => id);
    return { listed, brief: store.brief(() => undefined).map(({ id }) => id), codes };
  };
  beforeEach(async () => {
    store = new RunStore(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-record-')));
    await store.put(good, []);
    await store.put(bad, []);
  });
  afterEach(() => fs.rmSync(store.root, { recursive: true, force: true }));

  it('a digit that was changed is found by the checksum', () => {
    const text = fs.readFileSync(file(), 'utf8').replace('"wallSeconds": 97', '"wallSeconds": 98');
    assert.deepEqual(reading(text), { listed: [good.id], brief: [good.id], codes: ['RECORD_DAMAGED'] });
  });

  it('JSON of another form is left out, whichever field it is (no checksums)', () => {
    const document = JSON.parse(JSON.stringify(bad)) as unknown;
    const free: Path[] = [];
    for (const at of leaves(document)) {
      const { listed, codes } = reading(JSON.stringify(changed(document, at, { x: ['<img src=x onerror=alert(1)>'] })));
      if (listed.length === 2) free.push(at);
      else assert.deepEqual([listed, codes], [[good.id], ['RECORD_DAMAGED']], at.join('.'));
    }
    // settings of choices that extensions define have a form of their own
    assert.deepEqual(
      free
        .map((at) => at.slice(0, 2).join('.'))
        .filter((at) => !/^spec\.(augmentation|optimizer|schedule|regularizers|tricks|reset|limits)/.test(at)),
      [],
    );
  });

  it('other documents, cut text, a pipe and a folder are left out', () => {
    for (const text of ['null', '5', '[]', '{}', '"x"', '{"id":', '', `${JSON.stringify(bad)}x`, '[['.repeat(50_000)])
      assert.deepEqual(reading(text).listed, [good.id], text.slice(0, 20));
    fs.rmSync(file());
    assert.equal(spawnSync('mkfifo', [file()]).status, 0);
    const codes: string[] = [];
    assert.equal(store.list((_, { code }) => codes.push(code)).length, 1);
    fs.rmSync(file());
    fs.mkdirSync(file());
    store.list((_, { code }) => codes.push(code));
    assert.deepEqual(codes, ['STORE_FILE_REFUSED', 'STORE_FILE_REFUSED']);
  });

  it('a copied folder and what a killed prune left are no runs', () => {
    fs.cpSync(store.folder(bad.id), `${store.folder(bad.id)}.bak`, { recursive: true });
    fs.cpSync(store.folder(bad.id), path.join(store.root, `removed-${bad.id}-77`), { recursive: true });
    assert.deepEqual(store.list().length, 2);
    assert.deepEqual(store.brief().length, 2);
    fs.cpSync(store.folder(bad.id), path.join(store.root, 'a'.repeat(16)), { recursive: true });
    assert.throws(
      () => store.list(),
      ({ code, message }: KitError) => code === 'RECORD_DAMAGED' && message.includes(bad.id),
    );
  });

  it('rows of layers are checked, and come back as they were', async () => {
    const row = {
      epoch: 1,
      layer: 'conv1',
      place: 0,
      kind: 'kernel' as const,
      gradientNorm: 0.5,
      updateNorm: NaN,
      weightDistance: 1e-9,
    };
    await store.put(good, [row]);
    assert.deepEqual(store.layers(good.id), [row]);
    const layers = path.join(store.folder(good.id), 'layers.json');
    for (const text of [
      'null',
      '{"columns":[],"rows":[]}',
      layersText([row]).replace('"kernel"', '"<b>"'),
      '{"rows":5}',
    ]) {
      fs.writeFileSync(layers, text);
      assert.throws(
        () => readLayers(layers),
        ({ code }: KitError) => code === 'LAYERS_DAMAGED',
        text,
      );
    }
    assert.throws(
      () => store.layers('../../etc'),
      ({ code }: KitError) => code === 'RUN_UNKNOWN',
    );
  });
});
