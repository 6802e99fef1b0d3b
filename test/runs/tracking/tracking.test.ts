import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { tf } from '../../../src/engine/tensorflow';
import { finetune } from '../../../src/runs/finetune';
import type { RunRecord } from '../../../src/runs/store/record';
import { RunStore } from '../../../src/runs/store/store';
import { Tracking } from '../../../src/runs/tracking/tracking';
import { EXPERIMENT, RUN_TAG } from '../../../src/runs/tracking/tracking-mlflow';
import { quantities } from '../../../src/runs/tracking/tracking-sink';
import { parseRunSpec } from '../../../src/transfer/spec/spec';
import { scalarsIn } from './event-file';
import { makeImageFolder } from '../image-folder';
import { freePort, INSTALL_RAY, optionalProgram } from '../ray/ray-cluster';

describe('tracking', function () {
  this.timeout(240_000);
  let dataset: string;
  let folder: string;
  let plain: RunRecord;
  const spec = () =>
    parseRunSpec({
      dataset,
      backbone: 'efficientnet_lite0.tf_in1k',
      weights: 'random',
      imageSize: 32,
      epochs: 3,
      batchSize: 4,
      optimizer: { learningRate: 0.001 },
    });
  const inFolder = (...names: string[]): string => path.join(folder, ...names);
  before(async () => {
    dataset = await makeImageFolder();
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-tracking-'));
    plain = await finetune(spec(), { runs: inFolder('plain') });
  });
  after(() => [dataset, folder].forEach((each) => fs.rmSync(each, { recursive: true, force: true })));

  /** What may differ between two runs of one spec. */
  const numbersOf = ({
    startedAt: _s,
    finishedAt: _f,
    wallSeconds: _w,
    peakMemoryMb: _p,
    epochs,
    ...record
  }: RunRecord): object => ({
    ...record,
    epochs: epochs.map(
      ({ trainSeconds: _t, evaluateSeconds: _e, dataWaitSeconds: _d, imagesPerSecond: _i, ...row }) => row,
    ),
  });
  /** Epochs and values by quantity, as the record has them and as float32 keeps them. */
  const expected = (record: RunRecord): Record<string, [number, number][]> =>
    Object.fromEntries(
      Object.keys(quantities(record.epochs[0])).map((name) => [
        name,
        record.epochs.map((row): [number, number] => [row.epoch, Math.fround(quantities(row)[name])]),
      ]),
    );
  /** Stops the run after its first epoch. */
  const stopEarly = async (options: Parameters<typeof finetune>[1]): Promise<void> => {
    const controller = new AbortController();
    const reason = new Error('enough');
    await assert.rejects(
      finetune(spec(), { ...options, signal: controller.signal, onEpoch: () => controller.abort(reason) }),
      reason,
    );
  };

  describe('with TensorBoard', () => {
    it('writes every epoch once, over a stop and a resumption, changes no number and keeps no tensor', async () => {
      const options = { runs: inFolder('tensorboard'), tracking: { tensorboard: inFolder('events') } };
      await stopEarly(options);
      const before = tf.memory().numTensors;
      const record = await finetune(spec(), options);
      assert.equal(tf.memory().numTensors, before);
      assert.deepEqual(numbersOf(record), numbersOf(plain));
      const [run] = fs.readdirSync(inFolder('events'));
      assert.equal(run, `fine-tuning-seed-0-${record.id}`);
      const files = fs.readdirSync(inFolder('events', run)).sort();
      assert.equal(files.length, 2, 'one for each process or part');
      assert.deepEqual(scalarsIn(files.map((file) => inFolder('events', run, file))), expected(record));
    });

    it("is read by Google's own reader", function () {
      const python = optionalProgram('python');
      if (python === null) {
        console.log(`        TensorBoard is not installed: ${INSTALL_RAY}`);
        this.skip();
      }
      const [run] = fs.readdirSync(inFolder('events'));
      const script =
        'import json, sys\nfrom tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n' +
        'a = EventAccumulator(sys.argv[1]); a.Reload()\nprint(json.dumps({t: [[s.step, s.value] for s in a.Scalars(t)] for t in a.Tags()["scalars"]}))';
      const read = JSON.parse(
        execFileSync(python, ['-c', script, inFolder('events', run)], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        }),
      ) as object;
      assert.deepEqual(read, expected(new RunStore(inFolder('tensorboard')).list()[0]));
    });
  });

  it('warns once and continues when a sink fails: no folder, no server, another service, no answer', async () => {
    fs.writeFileSync(inFolder('a-file'), '');
    const page = http.createServer((_, response) => response.end('<html>'));
    const silent = net.createServer(() => undefined);
    const urls = await Promise.all(
      [page, silent].map(
        (server) =>
          new Promise<string>((resolve) =>
            server.listen(0, '127.0.0.1', () =>
              resolve(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`),
            ),
          ),
      ),
    );
    try {
      const notices: string[] = [];
      const record = await finetune(spec(), {
        runs: inFolder('failing'),
        tracking: { tensorboard: inFolder('a-file'), mlflow: `http://127.0.0.1:${await freePort()}` },
        onNotice: (text) => notices.push(text),
      });
      assert.deepEqual(numbersOf(record), numbersOf(plain));
      assert.equal(notices.length, 2);
      assert.match(notices[0], /^TensorBoard receives no more numbers of this run: .*a-file/);
      assert.match(notices[1], /^MLflow receives no more numbers of this run: .*ECONNREFUSED/);

      for (const [mlflow, warning] of [
        [urls[0], /is not MLflow, or refuses \(200\)/],
        [urls[1], /timeout|aborted|did not answer/i],
      ] as const) {
        const warnings: string[] = [];
        const tracking = await Tracking.begin(
          { mlflow },
          { id: record.id, title: 'a run', method: 'rifle', spec: spec(), dataset: 'd' },
          [],
          (text) => warnings.push(text),
        );
        record.epochs.forEach((row) => tracking.epoch(row));
        await tracking.end('finished');
        assert.equal(warnings.length, 1);
        assert.match(warnings[0], warning);
      }
    } finally {
      page.close();
      silent.close();
    }
  });

  describe('with a real MLflow server', () => {
    let server: ChildProcess | undefined;
    let url: string;
    before(async function () {
      const program = optionalProgram('mlflow');
      if (program === null) {
        console.log(`        MLflow is not installed: ${INSTALL_RAY}`);
        this.skip();
      }
      const port = await freePort();
      url = `http://127.0.0.1:${port}`;
      const args = [
        'server',
        '--host',
        '127.0.0.1',
        '--port',
        String(port),
        '--workers',
        '1',
        '--backend-store-uri',
        `sqlite:///${inFolder('mlflow.db')}`,
        '--default-artifact-root',
        inFolder('artifacts'),
      ];
      let said = '';
      server = spawn(program, args, {
        env: { ...process.env, MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false' },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      for (const stream of [server.stdout!, server.stderr!])
        stream.on('data', (chunk: Buffer) => void (said = (said + chunk.toString()).slice(-3000)));
      for (const until = performance.now() + 120_000; ; await wait(300)) {
        if (
          await fetch(`${url}/health`).then(
            ({ ok }) => ok,
            () => false,
          )
        )
          return;
        assert.ok(performance.now() < until && server.exitCode === null, `MLflow did not start: ${said}`);
      }
    });
    after(() => server !== undefined && process.kill(-server.pid!, 'SIGKILL')); // its group: the server and its worker

    interface Pair {
      key: string;
      value: string;
    }
    interface SearchedRuns {
      runs: { info: { status: string; run_id: string }; data: { tags: Pair[]; params: Pair[] } }[];
    }
    const searchRuns = async (body: object): Promise<SearchedRuns> => {
      const answer = await fetch(`${url}/api/2.0/mlflow/runs/search`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return (await answer.json()) as SearchedRuns;
    };

    it('sends spec and epochs once, also over a stop and a resumption', async () => {
      const options = { runs: inFolder('mlflow'), tracking: { mlflow: `${url}/` } };
      const notices: string[] = [];
      const onNotice = (text: string): void => void notices.push(text);
      await stopEarly({ ...options, onNotice });
      const { experiment } = (await (
        await fetch(`${url}/api/2.0/mlflow/experiments/get-by-name?experiment_name=${EXPERIMENT}`)
      ).json()) as { experiment: { experiment_id: string } };
      const runs = async (): Promise<SearchedRuns['runs']> =>
        (await searchRuns({ experiment_ids: [experiment.experiment_id] })).runs;
      assert.deepEqual(
        (await runs()).map(({ info }) => info.status),
        ['KILLED'],
      );
      const record = await finetune(spec(), { ...options, onNotice });
      assert.deepEqual(numbersOf(record), numbersOf(plain));
      assert.deepEqual(notices, []);
      const found = await runs();
      assert.equal(found.length, 1, 'it is found again by its tag');
      const [{ info, data }] = found;
      assert.equal(info.status, 'FINISHED');
      const valueOf = (pairs: Pair[], key: string): string | undefined => pairs.find((pair) => pair.key === key)?.value;
      assert.equal(valueOf(data.tags, RUN_TAG), record.id);
      assert.equal(valueOf(data.params, 'optimizer.learningRate'), '0.001');
      assert.equal(valueOf(data.params, 'backbone'), 'efficientnet_lite0.tf_in1k');
      for (const name of Object.keys(quantities(record.epochs[0]))) {
        const answer = (await (
          await fetch(
            `${url}/api/2.0/mlflow/metrics/get-history?run_id=${info.run_id}&metric_key=${encodeURIComponent(name)}`,
          )
        ).json()) as { metrics: { step?: number; value: number }[] };
        assert.deepEqual(
          answer.metrics.map(({ step, value }) => [Number(step), value]),
          record.epochs.map((row) => [row.epoch, quantities(row)[name]]),
          name,
        );
      }
    });
  });
});
