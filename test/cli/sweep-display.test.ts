import assert from 'node:assert/strict';
import { screenLines, secondsLeft } from '../../src/cli/sweep-display';
import type { PoolRun } from '../../src/runs/pool/pool';
import { parseRunSpec } from '../../src/transfer/spec/spec';

const spec = parseRunSpec({ dataset: '/photos/birds', backbone: 'b', epochs: 10 });
const run = (index: number, changes: Partial<PoolRun>): PoolRun => ({
  index,
  spec,
  title: `rifle seed ${index}`,
  state: 'running',
  worker: 0,
  device: null,
  epochsDone: 0,
  epochs: 10,
  progress: null,
  top1: null,
  cause: null,
  ...changes,
});
const screenOf = (runs: PoolRun[], seconds: (number | null)[], elapsed: number) => ({
  runs: new Map(runs.map((each) => [each.index, each])),
  seconds,
  workers: 1,
  elapsed,
});
const plain = (text: string): string => text.replace(/\x1b\[\d+m/g, '');

describe('the live table of a sweep', () => {
  it('counts runs, shows what each worker makes, and names what failed', () => {
    const lines = screenLines(
      screenOf(
        [
          run(0, { state: 'finished', top1: 0.8, worker: null, epochsDone: 10 }),
          run(1, { state: 'reused', top1: 0.7, worker: null }),
          run(2, { state: 'failed', cause: 'no such data set', worker: null }),
          run(3, {
            worker: 1,
            device: '0',
            progress: { task: 't', done: 30, total: 100, unit: 'steps', detail: 'epoch 3/10' },
          }),
          run(4, { worker: 0 }),
        ],
        [null, null, null, null, null, null],
        120,
      ),
    ).map(plain);
    assert.match(lines[0], /^3\/6 runs · 1 made · 1 reused · 1 failed · 2 min 00 s · /);
    assert.equal(lines[1], '1  rifle seed 4, birds, b: starts');
    assert.equal(lines[2], '2 GPU 0  rifle seed 3, birds, b: 30 % · epoch 3/10');
  });

  it('takes the time left from the pace so far, by the estimates of the runs where there are any', () => {
    const half = { progress: { task: 't', done: 50, total: 100, unit: 'steps' } };
    // 30 s of estimated work done in 60 s; 30 + 100 are left, at two seconds a second.
    assert.equal(secondsLeft(screenOf([run(0, half)], [60, 100], 60)), 260);
    // By epochs: 5 of 10 done in 60 s; 5 + 10 are left.
    assert.equal(secondsLeft(screenOf([run(0, half)], [null, null], 60)), 180);
    assert.equal(secondsLeft(screenOf([run(0, {})], [60, 100], 60)), null, 'no pace yet');
  });
});
