import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { KitError } from '../../../src/base/errors';
import { plan } from '../../../src/studies/plan';
import { runPool, type PoolRun } from '../../../src/runs/pool/pool';
import { Ray } from '../../../src/runs/ray/ray';
import { JobLog, jobLine, outcomeOf } from '../../../src/runs/ray/ray-log';
import { runOnRay, type RayPoolOptions } from '../../../src/runs/ray/ray-pool';
import type { RunRecord } from '../../../src/runs/store/record';
import { RunStore } from '../../../src/runs/store/store';
import { unfinishedRuns } from '../../../src/runs/store/unfinished';
import type { RunSpec } from '../../../src/transfer/spec/spec';
import { makeEightParts, type EightParts } from '../../extend/eight-parts';
import { makeImageFolder } from '../image-folder';
import { freePort, INSTALL_RAY, optionalProgram, RayCluster } from './ray-cluster';

/** A record without times and memory. */
function numbersOf({
  startedAt: _s,
  finishedAt: _f,
  wallSeconds: _w,
  peakMemoryMb: _p,
  epochs,
  ...record
}: RunRecord): object {
  return {
    ...record,
    epochs: epochs.map(
      ({ trainSeconds: _t, evaluateSeconds: _e, dataWaitSeconds: _d, imagesPerSecond: _i, ...row }) => row,
    ),
  };
}

describe('the log of a job on Ray', () => {
  it('gives its news once, in pieces or from the beginning again, and passes over what is not of the kit', () => {
    const news: unknown[] = [];
    const log = new JobLog((each) => news.push(each));
    const lines = `Runtime env is setting up.\n${jobLine({ epoch: 1 })}oneDNN is on\n${jobLine({ epoch: 2 })}`;
    log.take(lines.slice(0, 40));
    log.take(lines.slice(40));
    log.restart();
    log.take(lines + jobLine({ epoch: 3 }));
    assert.deepEqual(news, [{ epoch: 1 }, { epoch: 2 }, { epoch: 3 }]);
  });

  it('passes over lines of another form', () => {
    const news: unknown[] = [];
    const log = new JobLog((each) => news.push(each));
    const lines = ['5', 'null', '"x"', '[]', '{"epoch":"1"}', '{"error":{}}', '{"progress":null}', '{"id":5}', '{', ''];
    const text = lines.map((line) => `@rifle ${line}\n`).join('');
    log.take(`${text}${jobLine({ epoch: 1 })}`);
    assert.deepEqual(news, [{ epoch: 1 }]);
    assert.equal(outcomeOf(text).outcome, null);
  });

  it('says how a run ended, or what was printed last', () => {
    assert.deepEqual(outcomeOf(`${jobLine({ epoch: 1 })}${jobLine({ id: 'a', reused: false })}bye\n`), {
      outcome: { id: 'a', reused: false },
      lastLine: 'bye',
    });
    assert.deepEqual(outcomeOf(`sh: 1: exec: node: not found\n${jobLine({ epoch: 1 }).slice(0, 12)}`), {
      outcome: null,
      lastLine: 'sh: 1: exec: node: not found',
    });
  });
});

describe('an address that is not that of a Ray', () => {
  const servers: net.Server[] = [];
  afterEach(() => servers.splice(0).forEach((server) => server.close()));
  const at = async (server: net.Server): Promise<string> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  };
  const answering = (text: string): Promise<string> => at(http.createServer((_, response) => response.end(text)));
  const refusal = async (url: string): Promise<string> => {
    const error = await Ray.connect(url).then(
      () => assert.fail('it connected'),
      (error: unknown) => error as KitError,
    );
    assert.ok(error instanceof KitError, String(error));
    assert.ok(!/\n|SECRET/.test(error.message + error.fix) && error.fix !== '', error.message);
    return error.code;
  };

  it('is refused: no address, no server, no HTTP, another service, other versions', async () => {
    const closed = await freePort();
    for (const [url, code] of [
      ['ray://127.0.0.1:10001', 'RAY_ADDRESS'],
      ['127.0.0.1:8265', 'RAY_ADDRESS'],
      [`http://bob:SECRET@127.0.0.1:${closed}/?t=SECRET`, 'RAY_UNREACHABLE'],
      [await at(net.createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))), 'RAY_NOT_HTTP'],
      [await at(net.createServer((socket) => socket.destroy())), 'RAY_NOT_HTTP'],
      [await answering('<html>Welcome to nginx!</html>'), 'RAY_NOT_JOBS_API'],
      [await answering('{"version": 3}'), 'RAY_NOT_JOBS_API'],
      [await answering('{"version": "5", "ray_version": "3.1.0"}'), 'RAY_VERSION'],
      [await answering('{"version": "4", "ray_version": "2.3.1"}'), 'RAY_VERSION'],
    ])
      assert.equal(await refusal(url), code, url);
    assert.equal((await Ray.connect(await answering('{"version": "4", "ray_version": "2.8.0"}'))).version, '2.8.0');
  });

  it('without an end is refused before it fills the memory', async () => {
    let sent = 0;
    const endless = await at(
      http.createServer((_, response) => {
        const chunk = Buffer.alloc(65_536, ' ');
        const more = (): void => {
          while (!response.destroyed && response.write(chunk)) sent += chunk.length;
          sent += chunk.length;
        };
        response.on('drain', more);
        more();
      }),
    );
    assert.equal(await refusal(endless), 'ANSWER_TOO_LONG');
    assert.ok(sent < 50e6, String(sent));
  });
});

describe('a log that a server sends over a web socket', () => {
  it('ends where a message is longer than any log, before it fills the memory', async () => {
    let sent = 0;
    const server = http.createServer((_, response) => response.end('{"version": "4", "ray_version": "2.60.0"}'));
    server.on('upgrade', (request, socket) => {
      const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      const accept = createHash('sha1').update(key).digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n` +
          `sec-websocket-accept: ${accept}\r\n\r\n`,
      );
      const text = Buffer.from('a line\n');
      socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]));
      const head = Buffer.alloc(10);
      head.writeUInt16BE(0x817f); // a text whose length has eight bytes
      head.writeBigUInt64BE(2n ** 34n, 2);
      socket.write(head);
      const chunk = Buffer.alloc(65_536, 'x');
      const more = (): void => {
        while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
        sent += chunk.length;
      };
      socket.on('error', () => undefined).on('drain', more);
      more();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const ray = await Ray.connect(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`);
    let text = '';
    await new Promise<void>((resolve) => ray.follow('job', (piece) => (text += piece), resolve));
    server.closeAllConnections();
    server.close();
    assert.equal(text, 'a line\n');
    assert.ok(sent < 50e6, String(sent));
  });
});

describe('a sweep on Ray', function () {
  this.timeout(400_000);
  let cluster: RayCluster;
  let dataset: string;
  let folder: string;
  let study: EightParts | undefined;
  const spec = {
    backbone: 'efficientnet_lite0.tf_in1k',
    weights: 'random',
    imageSize: 32,
    epochs: 2,
    batchSize: 4,
    optimizer: { learningRate: 0.001 },
  };
  before(async function () {
    const program = optionalProgram('ray');
    if (program === null) {
      console.log(`      Ray is not installed: ${INSTALL_RAY}`);
      this.skip();
    }
    cluster = await RayCluster.start(program, 2);
    dataset = await makeImageFolder();
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-ray-'));
  });
  after(async () => {
    await cluster?.stop();
    study?.remove();
    [dataset, folder].forEach((each) => each && fs.rmSync(each, { recursive: true, force: true }));
  });
  const options = (name: string, more: Partial<RayPoolOptions> = {}): RayPoolOptions => ({
    url: cluster.url,
    runs: path.join(folder, name),
    cpus: 1,
    every: 0.3,
    ...more,
  });
  const eventsOf = (store: RunStore, id: string): string[] =>
    store
      .journal(id)
      .read()
      .map(({ event }) => event)
      .filter((event) => event !== 'checkpoint');
  const local = (name: string, specs: RunSpec[]): Promise<RunRecord[]> =>
    runPool(specs, { runs: path.join(folder, name), workers: 2 }); // a thread each, as on Ray

  it('gives the records of the local pool, for a sweep and for a run with the parts of a study', async () => {
    study = await makeEightParts();
    const sweep = plan({ spec: { dataset, ...spec }, methods: ['fine-tuning', 'rifle'], seeds: [0, 1] });
    const specs = [...sweep, { ...study.spec, epochs: 3 }];
    const last: PoolRun[] = [];
    const made: boolean[] = [];
    const records = await runOnRay(
      specs,
      options('ray', { onRun: (run) => (last[run.index] = run), onRecord: (_, reused) => made.push(!reused) }),
    );
    assert.deepEqual(records.map(numbersOf), (await local('local', specs)).map(numbersOf));
    assert.deepEqual(
      records.map(({ id }) => new RunStore(path.join(folder, 'ray')).layers(id)),
      records.map(({ id }) => new RunStore(path.join(folder, 'local')).layers(id)),
    );
    assert.ok(
      last.every(
        ({ state, epochsDone, top1 }, i) =>
          state === 'finished' && epochsDone === specs[i].epochs && top1 === records[i].top1,
      ),
    );
    assert.deepEqual(made, Array<boolean>(5).fill(true));

    const again = await runOnRay(specs, options('ray', { onRecord: (_, reused) => made.push(!reused) }));
    assert.deepEqual(again, records);
    assert.deepEqual(made.slice(5), Array<boolean>(5).fill(false), 'none is made again');
    const jobs = await (await Ray.connect(cluster.url)).jobs();
    assert.equal(jobs.size, 5);
  });

  it('begins a run again whose process was killed, from its checkpoint, and finds the jobs of a command that was killed', async () => {
    const specs = plan({ spec: { dataset, ...spec, epochs: 16 }, methods: ['fine-tuning'], seeds: [0, 1] });
    const runs = path.join(folder, 'killed');
    const store = new RunStore(runs);
    const file = path.join(folder, 'specs.json');
    fs.writeFileSync(file, JSON.stringify(specs));
    const command = spawn(process.execPath, [path.join(__dirname, 'ray-child.js'), cluster.url, runs, file], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const exit = new Promise((resolve) => command.once('exit', resolve));
    const victim = await until(
      () => unfinishedRuns(store).find(({ owner, epochsDone }) => owner !== null && epochsDone > 0),
      60_000,
    );
    command.kill('SIGKILL'); // first: who waits is told nothing of what happens next
    await exit;
    process.kill(victim.owner!.pid, 'SIGKILL');

    const records = await runOnRay(specs, options('killed'));
    assert.deepEqual(
      records.map(({ spec }) => spec.seed),
      [0, 1],
    );
    for (const { id } of records)
      assert.deepEqual(
        eventsOf(store, id),
        id === victim.id ? ['started', 'notice', 'resumed', 'finished'] : ['started', 'finished'],
        `${id}: once`,
      );
    assert.deepEqual(records.map(numbersOf), (await local('unbroken', specs)).map(numbersOf));
    const jobs = [...(await (await Ray.connect(cluster.url)).jobs()).keys()];
    assert.deepEqual(
      records.map(({ id }) => jobs.filter((job) => job.includes(id)).length),
      records.map(({ id }) => (id === victim.id ? 2 : 1)),
    );
  });

  it('begins again what dies while it looks on, stops after a checkpoint, and leaves jobs alone when asked to', async () => {
    const [long] = plan({ spec: { dataset, ...spec, epochs: 30 }, methods: ['rifle'], seeds: [7] });
    const store = new RunStore(path.join(folder, 'stopped'));
    const reason = new Error('enough');
    const stopWhen = async (more: Partial<RayPoolOptions>, when: (run: PoolRun) => boolean): Promise<void> => {
      const controller = new AbortController();
      await assert.rejects(
        runOnRay(
          [long],
          options('stopped', {
            ...more,
            signal: controller.signal,
            onRun: (run) => when(run) && controller.abort(reason),
          }),
        ),
        reason,
      );
    };
    await stopWhen({}, ({ epochsDone }) => epochsDone > 0);
    const [left] = unfinishedRuns(store);
    assert.equal(left.owner, null, 'its process has let go');
    assert.deepEqual(eventsOf(store, left.id), ['started', 'stopped']);

    await stopWhen({ leave: true }, ({ state }) => state === 'running');
    const owner = await until(
      () => (eventsOf(store, left.id).includes('resumed') ? unfinishedRuns(store)[0]?.owner : null),
      60_000,
    );
    const notices: string[] = [];
    process.kill(owner.pid, 'SIGKILL');
    const [record] = await runOnRay([long], options('stopped', { onNotice: (text) => notices.push(text) }));
    assert.equal(record.id, left.id);
    assert.equal(record.epochs.length, 30);
    assert.deepEqual(eventsOf(store, left.id), ['started', 'stopped', 'resumed', 'notice', 'resumed', 'finished']);
  });

  it('says in one line why a run cannot be made: its data, its program, its token', async () => {
    const [run] = plan({ spec: { dataset, ...spec }, methods: ['fine-tuning'], seeds: [9] });
    const failures: string[] = [];
    const onError: RayPoolOptions['onError'] = (_, error) =>
      failures.push(`${(error as KitError).code}: ${error.message} → ${(error as KitError).fix}`);
    await runOnRay(
      [{ ...run, dataset: path.join(folder, 'nothing-here') }, run],
      options('failing', { node: 'no-such-node', onError }),
    );
    assert.equal(failures.length, 2);
    assert.equal(failures.length, 2);
    failures.sort((a, b) => Number(b.includes('nothing-here')) - Number(a.includes('nothing-here')));
    assert.match(failures[0], /nothing-here/);
    assert.match(failures[1], /^RAY_JOB_NOT_STARTED: .* → .*`exec no-such-node /);
    await assert.rejects(Ray.connect(`http://127.0.0.1:${cluster.gcsPort}`), ({ code }: KitError) =>
      ['RAY_NOT_HTTP', 'RAY_NOT_JOBS_API'].includes(code),
    );
    process.env.RAY_AUTH_TOKEN = 'another';
    await assert
      .rejects(
        Ray.connect(cluster.url),
        (error: KitError) => error.code === 'RAY_REFUSED' && /RAY_AUTH_TOKEN/.test(error.fix),
      )
      .finally(() => (process.env.RAY_AUTH_TOKEN = cluster.token));
  });
});

/** What `look` gives once it gives something. */
async function until<T>(look: () => T | null | undefined, milliseconds: number): Promise<T> {
  for (const end = performance.now() + milliseconds; ; await wait(50)) {
    const found = look();
    if (found !== null && found !== undefined) return found;
    assert.ok(performance.now() < end, 'it did not come');
  }
}
