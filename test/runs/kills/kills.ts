// The kill test: a run is killed (-9) again and again, at chosen and at random moments, and must end as if nobody had
// touched it.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { backbones } from '../../../src/backbones/backbone';
import { stateDictOf } from '../../../src/backbones/snapshot';
import { writeSafetensors } from '../../../src/backbones/weights/readers/safetensors';
import { randomStream } from '../../../src/base/random';
import { RunStore } from '../../../src/runs/store/store';
import { parseRunSpec } from '../../../src/transfer/spec/spec';
import { methods } from '../../../src/transfer/methods';
import { makeImageFolder } from '../image-folder';
import type { KillTask } from './kill-child';

/** A moment to kill at: at random after the start, or when something is seen to happen. */
export type KillMoment = 'start' | 'step' | 'evaluation' | 'checkpoint' | 'record';

/** What the kill test did. */
export interface KillReport {
  /** Kills that hit a living process, by the moment that was chosen. */
  kills: Record<KillMoment, number>;
  /** Runs that were finished in spite of them, each compared bit for bit with the one that nobody killed. */
  runs: number;
  /** How often a process went on from a checkpoint. */
  resumed: number;
}

const BACKBONE = 'efficientnet_lite0.tf_in1k';

/** Kills `count` times. @throws AssertionError where a run was lost, made twice, or differs in a bit. */
export async function killTest({
  count,
  seed = 0,
  log = () => undefined,
}: {
  count: number;
  seed?: number;
  log?: (line: string) => void;
}): Promise<KillReport> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-kills-'));
  const images = await makeImageFolder({ trainPerClass: 6, testPerClass: 2 });
  try {
    const weights = path.join(folder, 'start.safetensors'); // read in a moment, where drawing them takes seconds
    const backbone = await backbones.load(BACKBONE, { classes: 2, weights: 'random' });
    await writeSafetensors(weights, stateDictOf(backbone));
    backbone.dispose();
    const spec = parseRunSpec(
      methods.apply('dropout+rifle', {
        dataset: images,
        backbone: BACKBONE,
        weights,
        imageSize: 32,
        epochs: 4,
        batchSize: 4,
        optimizer: { learningRate: 0.001 },
      }),
    );
    const untouched = path.join(folder, 'untouched');
    const { error } = await attempt({ spec, runs: untouched }, null, 0);
    assert.equal(error, undefined);
    const expected = leftBy(untouched);

    const stream = randomStream(seed, 'kills');
    const report: KillReport = {
      kills: { start: 0, step: 0, evaluation: 0, checkpoint: 0, record: 0 },
      runs: 0,
      resumed: 0,
    };
    const killed = (): number => Object.values(report.kills).reduce((sum, kills) => sum + kills, 0);
    while (killed() < count || report.runs === 0) {
      const runs = path.join(folder, `run-${report.runs}`);
      for (let over = false; !over;) {
        const moment = killed() < count ? MOMENTS[stream.integer(MOMENTS.length)] : null;
        const outcome = await attempt({ spec, runs }, moment, stream.uniform());
        assert.equal(outcome.error, undefined);
        if (outcome.killed) report.kills[moment!]++;
        over = !outcome.killed;
        if (outcome.killed) log(`kill ${killed()}: ${moment}, at ${outcome.at}`);
      }
      assert.deepEqual(leftBy(runs), expected);
      const journal = new RunStore(runs).journal(expected.id).read();
      assert.equal(journal.filter(({ event }) => event === 'finished').length, 1, 'once, and not again');
      assert.deepEqual(
        journal.filter(({ event }) => event === 'failed'),
        [],
      );
      report.resumed += journal.filter(({ event }) => event === 'resumed').length;
      report.runs++;
      log(`run ${report.runs} is bit-equal`);
    }
    return report;
  } finally {
    for (const each of [folder, images]) fs.rmSync(each, { recursive: true, force: true });
  }
}

const MOMENTS: readonly KillMoment[] = ['start', 'step', 'step', 'evaluation', 'checkpoint', 'checkpoint', 'record'];

/** Everything that a run leaves, but for times and what it cost. */
function leftBy(runs: string): {
  id: string;
  record: object;
  layers: string;
  weights: string;
  best: string;
  files: string[];
} {
  const store = new RunStore(runs);
  const ids = fs.readdirSync(runs);
  assert.equal(ids.length, 1);
  const [id] = ids;
  const {
    wallSeconds: _w,
    peakMemoryMb: _p,
    startedAt: _s,
    finishedAt: _f,
    environment: _e,
    epochs,
    ...record
  } = store.find(id)!;
  const numbers = epochs.map(
    ({ trainSeconds: _a, evaluateSeconds: _b, dataWaitSeconds: _c, imagesPerSecond: _d, ...row }) => row,
  );
  const bytes = (file: string | null): string => (file === null ? '' : fs.readFileSync(file).toString('base64'));
  return {
    id,
    record: { ...record, epochs: numbers },
    layers: bytes(path.join(store.folder(id), 'layers.json')),
    weights: bytes(store.weights(id)),
    best: bytes(store.weights(id, 'best')),
    files: fs.readdirSync(store.folder(id)).sort(),
  };
}

/**
 * Lets a process make the run, and kills it at the moment, if it comes. @param chance in [0, 1): how far into the
 * moment.
 */
async function attempt(
  task: KillTask,
  moment: KillMoment | null,
  chance: number,
): Promise<{ killed: boolean; at: string; error?: string }> {
  const child = fork(path.join(__dirname, 'kill-child.js'), [JSON.stringify(task)], {
    execArgv: [],
    env: { ...process.env, TF_NUM_INTRAOP_THREADS: '1' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let [at, said] = ['its start', ''];
  let error: string | undefined;
  child.stderr!.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
  const kill = (): void => void child.kill('SIGKILL');
  const watch =
    moment === 'checkpoint' || moment === 'record'
      ? setInterval(() => isWriting(task.runs, moment, chance) && kill(), 1)
      : undefined;
  if (moment === 'start') setTimeout(kill, 3000 * chance).unref();
  let steps = 0;
  child.on('message', (message: { task?: string; done?: number; total?: number; detail?: string; error?: string }) => {
    if (message.error !== undefined) error = message.error;
    if (message.detail === undefined) return;
    at = `${message.done}/${message.total} ${message.detail}`;
    if (moment === 'evaluation' && /evaluating/.test(message.detail) && chance < 0.7) kill();
    if (moment === 'step' && /loss/.test(message.detail) && steps++ === Math.floor(chance * 4))
      setTimeout(kill, 100 * (chance * 4 - Math.floor(chance * 4)));
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.on('exit', (code, signal) => resolve([code, signal])),
  );
  clearInterval(watch);
  if (signal !== 'SIGKILL' && code !== 0) error ??= `ended with ${signal ?? code}: ${said}`;
  return { killed: signal === 'SIGKILL', at, error };
}

/** Whether a checkpoint, or the record, is half-written just now. `chance` chooses which half. */
function isWriting(runs: string, moment: 'checkpoint' | 'record', chance: number): boolean {
  try {
    const [id] = fs.readdirSync(runs);
    const names = fs.readdirSync(path.join(runs, id, moment === 'checkpoint' ? 'checkpoints' : ''));
    if (moment === 'record')
      return chance < 0.5
        ? names.some((name) => name.startsWith('layers.json'))
        : names.some((name) => name.startsWith('record.json.'));
    if (chance < 0.6) return names.some((name) => name.includes('.partial-'));
    return names.some(
      (name) => name.endsWith('.safetensors') && !names.includes(name.replace('.safetensors', '.json')),
    );
  } catch {
    return false; // not there yet
  }
}
