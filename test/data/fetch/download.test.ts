// Downloads from servers of the test's own that break, stall, refuse, ignore ranges and lie: the right file in the end,
// or none and the reason.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { download, type DownloadOptions } from '../../../src/data/fetch/download';
import { cachePath, type WebFile } from '../../../src/data/fetch/remote-file';
import { KitError } from '../../../src/base/errors';
import { machineKey } from '../../../src/base/files/machine';
import type { Progress } from '../../../src/base/progress';
import { rangeStart, serve, startServer, type Manner } from './bad-server';
import { filesBelow, useFreshHome } from '../fresh-home';

const file = Buffer.alloc(300_000);
for (let i = 0; i < file.length; i++) file[i] = (i * 2654435761) >>> 13;
const hash = (algorithm: string, bytes = file) => createHash(algorithm).update(bytes).digest('hex');
const good: Manner = (request, response, bytes) => serve(request, response, bytes);
const breaksAt =
  (ends: number): Manner =>
  (request, response, bytes) =>
    serve(request, response, bytes, { ends });
const status =
  (code: number, headers: Record<string, string> = {}): Manner =>
  (_request, response) =>
    void response.writeHead(code, headers).end('no');

describe('download', function () {
  this.timeout(60_000);
  const home = useFreshHome();
  const started: Awaited<ReturnType<typeof startServer>>[] = [];
  let servers: typeof started; // of the source that is made
  beforeEach(() => (servers = []));
  afterEach(() => Promise.all(started.splice(0).map((server) => server.close())));

  /** A file whose address is a new server's, after those of the servers that are there. */
  async function source(manners: Manner[], changes: Partial<WebFile> = {}): Promise<WebFile> {
    servers.push(await start(manners));
    return {
      urls: servers.map(({ url }) => url),
      file: 'file.tgz',
      bytes: file.length,
      sha256: hash('sha256'),
      md5: null,
      ...changes,
    };
  }
  async function start(manners: Manner[]): Promise<(typeof started)[number]> {
    const server = await startServer(file, manners);
    started.push(server);
    return server;
  }
  const quick: DownloadOptions = { waitSeconds: 0.01, stallSeconds: 10 };
  const cached = () => filesBelow(path.join(home.path, 'cache'));

  async function succeeds(web: WebFile, options: DownloadOptions = {}): Promise<void> {
    const at = await download(web, { ...quick, ...options });
    assert.equal(at, cachePath(web));
    assert.ok(fs.readFileSync(at).equals(file));
    assert.deepEqual(cached(), [path.basename(at)], 'nothing else is left');
  }
  async function fails(web: WebFile, why: RegExp, options: DownloadOptions = {}): Promise<void> {
    await assert.rejects(download(web, { ...quick, ...options }), (error: unknown) => {
      assert.ok(error instanceof KitError, String(error));
      assert.match(error.message, why);
      assert.ok(error.message.includes('file.tgz'));
      return true;
    });
    assert.ok(!fs.existsSync(cachePath(web)), 'no bad file is passed on');
  }

  it('downloads, reports the progress, and downloads only once', async () => {
    const reports: Progress[] = [];
    const web = await source([good]);
    await succeeds(web, { onProgress: (progress) => reports.push(progress) });
    assert.deepEqual(reports.at(-1), { task: 'fetch file.tgz', done: file.length, total: file.length, unit: 'bytes' });
    assert.ok(reports.every(({ done }, i) => i === 0 || done >= reports[i - 1].done));
    await succeeds(web);
    assert.deepEqual(servers[0].ranges, [undefined]);
  });

  it('verifies by md5 or sha1 where that is all that is known', async () => {
    await succeeds(await source([good], { bytes: null, sha256: null, md5: hash('md5') }));
    await fails(
      await source([good], { sha256: null, md5: hash('md5', Buffer.from('other')) }),
      /its md5 should be [0-9a-f]{32}, found/,
    );
    await fails(await source([good], { sha256: null, sha1: hash('sha1', Buffer.from('other')) }), /its sha1 should be/);
  });

  it('verifies by the first digits of a sha256 where that is all that is known', async () => {
    await succeeds(await source([good], { bytes: null, sha256: null, sha256Prefix: hash('sha256').slice(0, 8) }));
    servers = [];
    await fails(
      await source([good], { bytes: null, sha256: null, sha256Prefix: '01234567' }),
      /its sha256 should begin with 01234567, found/,
    );
  });

  it('resumes where a connection broke', async () => {
    const web = await source([breaksAt(100_000), breaksAt(200_000), good]);
    await succeeds(web);
    assert.equal(servers[0].ranges[0], undefined);
    assert.match(servers[0].ranges[1]!, /^bytes=\d+-$/);
    const starts = servers[0].ranges.slice(1).map((range) => Number(/\d+/.exec(range!)![0]));
    assert.ok(starts[0] > 0 && starts[1] > starts[0], String(starts));
  });

  it('resumes the download of an earlier call that failed', async () => {
    const web = await source([breaksAt(150_000), status(503)]);
    await fails(web, /503.*tried 3 times, 150000 bytes are kept/s, { retries: 2 });
    assert.deepEqual(
      cached(),
      ['.part', '.part.json'].map((end) => `${path.basename(cachePath(web))}${end}`),
    );
    servers.push(await start([good]));
    await succeeds({ ...web, urls: [servers[1].url] });
    assert.deepEqual(servers[1].ranges, ['bytes=150000-']);
  });

  it('takes over what a killed process left, and not what a living one has', async () => {
    const web = await source([good]);
    fs.mkdirSync(path.join(home.path, 'cache'));
    const partial = (pid: number) => `${cachePath(web)}.partial-${pid}-${machineKey()}-0`;
    fs.writeFileSync(partial(4194305), file.subarray(0, 70_000)); // above the largest process id
    fs.writeFileSync(partial(process.ppid), 'of another');
    await download(web, quick);
    assert.deepEqual(servers[0].ranges, ['bytes=70000-']);
    assert.deepEqual(cached().sort(), [path.basename(cachePath(web)), path.basename(partial(process.ppid))].sort());
  });

  it('starts again when the server ignores ranges', async () => {
    const ignores =
      (ends: number): Manner =>
      (_request, response, bytes) => {
        response.writeHead(200, { 'content-length': bytes.length });
        if (ends >= bytes.length) response.end(bytes);
        else {
          response.write(bytes.subarray(0, ends));
          response.socket!.destroySoon(); // when all is sent
        }
      };
    await succeeds(await source([ignores(100_000), ignores(50_000), ignores(Infinity)]));
  });

  it('fails when a server breaks the connection at the same byte every time', async () => {
    const ignores: Manner = (_request, response, bytes) => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 100_000));
      response.socket!.destroySoon(); // when all is sent
    };
    await fails(await source([ignores]), /tried 3 times/, { retries: 2 });
    assert.equal(servers[0].ranges.length, 3); // the first brought something, the two after it nothing more
  });

  it('starts again when the file has changed between two pieces', async () => {
    const old: Manner = (request, response) =>
      serve(request, response, Buffer.alloc(file.length, 'old'), { etag: '"old"', ends: 100_000 });
    const web = await source([old, good]);
    await succeeds(web);
    assert.ok(servers[0].ranges[1] !== undefined);
  });

  it('starts again once when the pieces do not make the file', async () => {
    const careless: Manner = (request, response, bytes) => {
      const start = rangeStart(request);
      response.writeHead(start > 0 ? 206 : 200, {
        'content-length': bytes.length - start,
        ...(start > 0 && { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
      });
      response.end(bytes.subarray(start));
    };
    const web = await source([careless]);
    fs.mkdirSync(path.join(home.path, 'cache'));
    fs.writeFileSync(`${cachePath(web)}.part`, Buffer.alloc(1000, 'wrong'));
    await succeeds(web);
    assert.deepEqual(servers[0].ranges, ['bytes=1000-', undefined]);
  });

  it('does not put pieces together that nothing can verify', async () => {
    const web = await source([good], { sha256: null, bytes: null });
    fs.mkdirSync(path.join(home.path, 'cache'));
    fs.writeFileSync(`${cachePath(web)}.part`, Buffer.alloc(1000, 'wrong'));
    await succeeds(web);
    assert.deepEqual(servers[0].ranges, [undefined]);
  });

  it('starts again at 416, and fails when there are no bytes at all', async () => {
    const web = await source([good]);
    fs.mkdirSync(path.join(home.path, 'cache'));
    fs.writeFileSync(`${cachePath({ ...web, bytes: null })}.part`, Buffer.alloc(file.length + 5));
    await succeeds({ ...web, bytes: null });
    await fails(await source([status(416)], { sha256: hash('sha256', Buffer.from('x')) }), /416/);
  });

  it('closes a connection without bytes, and resumes', async () => {
    const stalls: Manner = (_request, response, bytes) => {
      response.writeHead(200, { 'content-length': bytes.length, etag: '"one"' });
      response.write(bytes.subarray(0, 50_000)); // and no more
    };
    await succeeds(await source([stalls, good]), { stallSeconds: 1 });
    assert.match(servers[0].ranges[1]!, /^bytes=50000-/);
    servers = [];
    await fails(
      await source([() => undefined], { md5: hash('md5'), sha256: hash('sha256', Buffer.from('silent')) }),
      /nothing came for 1 s/,
      { retries: 0, stallSeconds: 1 },
    );
  });

  it('tries again at 503, as late as the server asks', async () => {
    const said: string[] = [];
    const start = performance.now();
    await succeeds(await source([status(503, { 'retry-after': '1' }), good]), {
      onProgress: ({ detail }) => detail && said.push(detail),
    });
    assert.ok(performance.now() - start >= 990);
    assert.match(said.join(), /it is not available now \(503\); again in 1 s/);
  });

  it('does not try 404, 410, 401 and 403 again, but the next mirror', async () => {
    for (const [code, why] of [
      [404, /it has no such file \(404\)/],
      [410, /gone/],
      [401, /login/],
      [403, /login/],
    ] as const) {
      servers = [];
      await fails(await source([status(code)]), why);
      assert.equal(servers[0].ranges.length, 1);
    }
    servers = [];
    await source([status(404)]);
    await succeeds(await source([good]));
  });

  it('names every mirror that failed', async () => {
    servers = [];
    await source([status(404)]);
    const web = await source([status(500)]);
    await assert.rejects(
      download({ ...web, urls: [...web.urls, 'http://127.0.0.1:9/x'] }, { ...quick, retries: 1 }),
      (error: unknown) => {
        assert.ok(error instanceof KitError);
        for (const part of [servers[0].url, servers[1].url, '404', '500', 'does not accept connections'])
          assert.ok(error.message.includes(part), error.message);
        return true;
      },
    );
  });

  it('follows redirects, a few', async () => {
    servers.push(await start([good]));
    const there = servers[0].url;
    const redirects: Manner = (_request, response) => void response.writeHead(302, { location: there }).end();
    const web = await source([redirects]);
    await succeeds({ ...web, urls: [servers[1].url] });
    const circle: Manner = (request, response) => void response.writeHead(302, { location: request.url! }).end();
    await fails(
      { ...(await source([circle])), urls: [servers[2].url], sha256: hash('sha256', Buffer.from('y')) },
      /302|redirect/i,
    );
  });

  describe('from a server that lies about the length', () => {
    it('refuses a file that is announced with another size', async () => {
      await fails(await source([good], { bytes: file.length + 1 }), /it has a file of 300000 bytes, expected 300001/);
      const page: Manner = (_request, response) =>
        void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-length': 5 }).end('login');
      servers = [];
      await fails(await source([page]), /a web page: perhaps it asks for a login/);
    });
    it('refuses more bytes than the file has', async () => {
      const endless: Manner = (_request, response, bytes) => {
        response.writeHead(200);
        response.write(bytes);
        response.end('more');
      };
      await fails(await source([endless]), /more than the 300000 bytes/);
      assert.deepEqual(cached(), []);
    });
    it('tries again when fewer come than were announced, and never takes what is too short', async () => {
      const short: Manner = (_request, response, bytes) => {
        response.writeHead(200, { 'transfer-encoding': 'chunked' });
        response.end(bytes.subarray(0, 1000));
      };
      await fails(await source([short]), /ended after 1000 of 300000 bytes/, { retries: 1 });
      const cut: Manner = (_request, response, bytes) => {
        response.writeHead(200, { 'content-length': bytes.length + 10 });
        response.write(bytes);
        response.socket!.destroySoon();
      };
      servers = [];
      await fails(await source([cut], { bytes: null, sha256: null }), /broke|ended/, { retries: 1 });
    });
    it('refuses other bytes of the right number', async () => {
      const other: Manner = (_request, response, bytes) =>
        void response.writeHead(200, { 'content-length': bytes.length }).end(Buffer.alloc(bytes.length));
      await fails(await source([other]), /not the file that was expected: its sha256 should be/);
      assert.deepEqual(cached(), []);
    });
    it('refuses a range that is not the one it asked for', async () => {
      const shifted: Manner = (_request, response, bytes) =>
        void response
          .writeHead(206, { 'content-range': `bytes 5-${bytes.length - 1}/${bytes.length}` })
          .end(bytes.subarray(5));
      await fails(await source([breaksAt(1000), shifted]), /other bytes than those from/, { retries: 1 });
    });
  });

  it('asks for nothing that the disk cannot hold', async () => {
    await fails(
      await source([good], { bytes: 2 ** 50 }),
      /file\.tgz has 1125899907 MB, but the disk that holds .* free/,
    );
    assert.deepEqual(servers[0].ranges, []);
  });

  it('that fills the disk leaves nothing behind (where this user may mount one)', async function () {
    const cache = path.join(home.path, 'cache');
    fs.mkdirSync(cache, { recursive: true });
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', cache]).status !== 0) this.skip();
    try {
      const endless: Manner = (_request, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(16_384)));
        };
        response.on('drain', more);
        more();
      };
      const web = await source([endless], { bytes: null, sha256: null });
      await assert.rejects(download(web, quick), (error: KitError) => error.code === 'DISK_FULL');
      assert.deepEqual(cached(), []);
    } finally {
      spawnSync('umount', [cache]);
    }
  });

  it('says what to fetch by hand', async () => {
    await fails(
      await source([good], { byHand: 'its host is gone' }),
      /file\.tgz \(300000 bytes, sha256 [0-9a-f]{64}\), once at http.*its host is gone/,
    );
    assert.deepEqual(servers[0].ranges, []);
  });

  it('stops when aborted, keeps the received bytes, and resumes later', async () => {
    const control = new AbortController();
    const slow: Manner = (_request, response, bytes) => {
      response.writeHead(200, { 'content-length': bytes.length, etag: '"one"' });
      response.write(bytes.subarray(0, 80_000));
    };
    const web = await source([slow, good]);
    await assert.rejects(
      download(web, { ...quick, signal: control.signal, onProgress: ({ done }) => done >= 80_000 && control.abort() }),
      { name: 'AbortError' },
    );
    assert.ok(!fs.existsSync(cachePath(web)));
    await succeeds(web);
    assert.deepEqual(servers[0].ranges, [undefined, 'bytes=80000-']);
    await assert.rejects(download(web, { ...quick, signal: AbortSignal.abort() }), { name: 'AbortError' });
  });

  it('two at once do not spoil each other', async () => {
    const web = await source([breaksAt(100_000), good]);
    const [one, two] = await Promise.all([download(web, quick), download(web, quick)]);
    assert.equal(one, two);
    assert.ok(fs.readFileSync(one).equals(file));
  });
});
