// Fetching package files with pip and npm, from a folder and a server of the test's own.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fetchPackage, type PackageFile } from '../../../src/data/fetch/registry-package';
import { KitError } from '../../../src/base/errors';
import { machineKey } from '../../../src/base/files/machine';
import type { Progress } from '../../../src/base/progress';
import { makeTarGz, makeWheel } from './archive-makers';
import { filesBelow, useEnvironment, useFreshHome } from '../fresh-home';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const NO_HASH = '0'.repeat(64);

function describeFile(
  registry: 'pypi' | 'npm',
  name: string,
  version: string,
  file: string,
  bytes: Buffer,
): PackageFile {
  return { package: { registry, name, version }, file, bytes: bytes.length, sha256: sha256(bytes) };
}

describe('fetchPackage', function () {
  this.timeout(30_000);
  const home = useFreshHome();

  describe('with pip', () => {
    const wheel = makeWheel('rifle-test-package', '1.2.3', { 'rifle_test_package/data.txt': Buffer.from('data') });
    const source = describeFile('pypi', 'rifle-test-package', '1.2.3', wheel.file, wheel.bytes);
    const folder = () => path.join(home.path, 'wheels');
    useEnvironment({
      PIP_NO_INDEX: '1',
      PIP_FIND_LINKS: undefined,
      PIP_INDEX_URL: undefined,
      PIP_EXTRA_INDEX_URL: undefined,
    });
    beforeEach(() => {
      fs.mkdirSync(folder());
      fs.writeFileSync(path.join(folder(), wheel.file), wheel.bytes);
      process.env.PIP_FIND_LINKS = folder();
    });

    it('downloads a wheel into the cache, reports the progress, and downloads it only once', async () => {
      const reports: Progress[] = [];
      const file = await fetchPackage(source, { onProgress: (progress) => reports.push(progress) });
      assert.equal(file, path.join(home.path, 'cache', wheel.file));
      assert.ok(fs.readFileSync(file).equals(wheel.bytes));
      assert.deepEqual(fs.readdirSync(path.join(home.path, 'cache')), [wheel.file]);
      assert.deepEqual(reports.at(-1), {
        task: `fetch ${wheel.file}`,
        done: source.bytes,
        total: source.bytes,
        unit: 'bytes',
      });
      fs.rmSync(folder(), { recursive: true });
      assert.equal(await fetchPackage(source), file);
    });

    it('fetches again what is damaged in the cache', async () => {
      const file = await fetchPackage(source);
      const bytes = fs.readFileSync(file);
      bytes[100] ^= 1;
      fs.writeFileSync(file, bytes);
      await fetchPackage(source);
      assert.ok(fs.readFileSync(file).equals(wheel.bytes));
    });

    it('refuses a file whose hash does not match, and keeps nothing', async () => {
      await assert.rejects(fetchPackage({ ...source, sha256: NO_HASH }), (error: unknown) => {
        assert.ok(error instanceof KitError);
        assert.match(error.message, new RegExp(`sha256 should be ${NO_HASH}, found ${source.sha256}`));
        return true;
      });
      assert.deepEqual(filesBelow(path.join(home.path, 'cache')), []);
    });

    it('says when the registry has no such file', async () => {
      process.env.PIP_FIND_LINKS = '';
      await assert.rejects(
        fetchPackage(source),
        (error: KitError) => error.code === 'PACKAGE_NOT_FOUND' && error.fix !== '',
      );
    });

    it('says when there is no network', async () => {
      Object.assign(process.env, {
        PIP_FIND_LINKS: '',
        PIP_NO_INDEX: '0',
        PIP_INDEX_URL: 'http://127.0.0.1:9/simple',
        PIP_RETRIES: '0',
      });
      try {
        await assert.rejects(
          fetchPackage(source),
          (error: KitError) => error.code === 'PACKAGE_REGISTRY_UNREACHABLE' && /network/.test(error.fix),
        );
      } finally {
        delete process.env.PIP_RETRIES;
      }
      assert.deepEqual(filesBelow(path.join(home.path, 'cache')), []);
    });

    it('chooses a wheel of another Python and another machine by its name', async () => {
      const other = {
        file: 'rifle_test_package-1.2.3-cp39-cp39-manylinux_2_17_aarch64.manylinux2014_aarch64.whl',
        bytes: wheel.bytes,
      };
      fs.rmSync(path.join(folder(), wheel.file));
      fs.writeFileSync(path.join(folder(), other.file), other.bytes);
      const file = await fetchPackage({ ...source, file: other.file });
      assert.equal(path.basename(file), other.file);
    });

    it('stops when aborted, and leaves nothing', async () => {
      const control = new AbortController();
      setTimeout(() => control.abort(), 100);
      await assert.rejects(fetchPackage(source, { signal: control.signal }), { name: 'AbortError' });
      assert.deepEqual(filesBelow(path.join(home.path, 'cache')), []);
      await assert.rejects(fetchPackage(source, { signal: control.signal }), { name: 'AbortError' });
    });

    it('removes what a killed process has left', async () => {
      const cache = path.join(home.path, 'cache');
      // above the largest process id
      const left = path.join(cache, `${wheel.file}.partial-4194305-${machineKey()}-0-download`);
      const alive = path.join(cache, `${wheel.file}.partial-${process.pid}-${machineKey()}-999`);
      fs.mkdirSync(left, { recursive: true });
      fs.mkdirSync(alive);
      await fetchPackage(source);
      assert.deepEqual(fs.readdirSync(cache).sort(), [wheel.file, path.basename(alive)].sort());
    });

    it('says that a full disk is full', async () => {
      const { makeAtomically } = await import('../../../src/base/files/atomic.js');
      const final = path.join(home.path, 'data', 'file');
      const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      const attempt = makeAtomically(final, async (partial) => {
        fs.writeFileSync(partial, 'half');
        throw full;
      });
      await assert.rejects(
        attempt,
        (error: unknown) =>
          error instanceof KitError &&
          error.code === 'DISK_FULL' &&
          /RIFLE_HOME/.test(error.fix) &&
          error.cause === full,
      );
      assert.deepEqual(filesBelow(path.join(home.path, 'data')), []);
    });
  });

  describe('with npm', () => {
    const tarball = makeTarGz([
      { name: 'package/package.json', bytes: Buffer.from('{"name": "rifle-test-package", "version": "1.2.3"}') },
      { name: 'package/data.txt', bytes: Buffer.from('data') },
    ]);
    const source = describeFile('npm', 'rifle-test-package', '1.2.3', 'rifle-test-package-1.2.3.tgz', tarball);
    let server: http.Server;
    useEnvironment({ npm_config_registry: undefined, npm_config_fetch_retries: '0' });
    beforeEach(async () => {
      server = http.createServer((request, response) => {
        const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        if (request.url === '/rifle-test-package') {
          const dist = { tarball: `${address}/file.tgz`, shasum: createHash('sha1').update(tarball).digest('hex') };
          response.setHeader('content-type', 'application/json');
          response.end(
            JSON.stringify({
              name: 'rifle-test-package',
              'dist-tags': { latest: '1.2.3' },
              versions: { '1.2.3': { name: 'rifle-test-package', version: '1.2.3', dist } },
            }),
          );
        } else if (request.url === '/file.tgz') response.end(tarball);
        else response.writeHead(404).end('{}');
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      process.env.npm_config_registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    });
    afterEach(() => new Promise((resolve) => server.close(resolve)));

    it('fetches a package into the cache', async () => {
      const file = await fetchPackage(source);
      assert.ok(fs.readFileSync(file).equals(tarball));
      assert.deepEqual(fs.readdirSync(path.join(home.path, 'cache')), [source.file]);
    });

    it('refuses a file whose hash does not match, and keeps nothing', async () => {
      await assert.rejects(
        fetchPackage({ ...source, sha256: NO_HASH }),
        new RegExp(`sha256 should be ${NO_HASH}, found ${source.sha256}`),
      );
      assert.deepEqual(filesBelow(path.join(home.path, 'cache')), []);
    });

    it('says when the registry has no such package or version', async () => {
      for (const other of [{ name: 'rifle-absent' }, { version: '9.9.9' }]) {
        await assert.rejects(fetchPackage({ ...source, package: { ...source.package, ...other } }), {
          code: 'PACKAGE_NOT_FOUND',
        });
      }
    });

    it('says when there is no network', async () => {
      process.env.npm_config_registry = 'http://127.0.0.1:9/';
      await assert.rejects(fetchPackage(source), { code: 'PACKAGE_REGISTRY_UNREACHABLE' });
    });
  });
});
