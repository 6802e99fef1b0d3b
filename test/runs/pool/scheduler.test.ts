// The scheduler with an executor that computes nothing: queue, retries, copies, busy runs, lost slots and stop.
import assert from 'node:assert/strict';
import { KitError } from '../../../src/base/errors';
import type { PoolRun } from '../../../src/runs/pool/run-states';
import {
  ExecutorLostError,
  schedule,
  type Attempt,
  type AttemptContext,
  type Executor,
  type ScheduleOptions,
} from '../../../src/runs/pool/scheduler';
import type { RunRecord } from '../../../src/runs/store/record';
import type { RunStore } from '../../../src/runs/store/store';
import { parseRunSpec, type RunSpec } from '../../../src/transfer/spec/spec';
import { syntheticRecord } from '../../report/records';

const spec = (seed: number): RunSpec => parseRunSpec({ dataset: 'elpv', backbone: 'b', epochs: 2, seed });
const recordOf = ({ seed }: RunSpec): RunRecord => ({ ...syntheticRecord({ seed }), id: `id-${seed}` });
const lost = (): KitError => new KitError('lost', { code: 'WORKER_LOST' });

type Script = (run: PoolRun, context: AttemptContext, attempt: number) => Attempt | Promise<Attempt>;

/** Runs `specs` by a script. @returns the records' seeds, and the attempts in their order. */
async function scheduled(
  specs: RunSpec[],
  script: Script,
  { slots = 1, ...options }: ScheduleOptions & { slots?: number; lossesPerSlot?: number } = {},
): Promise<{ seeds: number[]; attempts: string[]; closed: number[] }> {
  const attempts: string[] = [];
  const closed: number[] = [];
  const counts = new Map<number, number>();
  const executor: Executor = {
    slots,
    lossesPerSlot: options.lossesPerSlot ?? 3,
    placeOf: (slot) => ({ worker: slot, device: null }),
    async attempt(run, context) {
      const count = (counts.get(run.index) ?? 0) + 1;
      counts.set(run.index, count);
      attempts.push(`${run.spec.seed}@${context.slot}${context.wait ? ' wait' : ''}`);
      context.onRunning();
      await new Promise((resolve) => setImmediate(resolve));
      return script(run, context, count);
    },
    closeSlot: async (slot) => void closed.push(slot),
  };
  const store = { find: (id: string) => recordOf(spec(Number(id.slice(3)))) } as unknown as RunStore;
  const records = await schedule(specs, executor, store, options);
  return { seeds: records.map(({ spec }) => spec.seed), attempts, closed };
}

const well: Script = (run) => ({ record: recordOf(run.spec), reused: false });

describe('the scheduler of a pool', () => {
  it('gives records in the order of the specs, whichever slot makes them', async () => {
    const { seeds, attempts, closed } = await scheduled([0, 1, 2, 3].map(spec), well, { slots: 2 });
    assert.deepEqual(seeds, [0, 1, 2, 3]);
    assert.equal(attempts.length, 4);
    assert.deepEqual(closed.sort(), [0, 1]);
  });

  it('makes a run once that is in the list twice', async () => {
    const reused: boolean[] = [];
    const { seeds, attempts } = await scheduled([spec(0), spec(1), spec(0)], well, {
      onRecord: (_, again) => reused.push(again),
    });
    assert.deepEqual([seeds, attempts.length, reused], [[0, 1, 0], 2, [false, true, false]]);
  });

  it('repeats a lost run, but not for ever, and makes the others', async () => {
    const notices: string[] = [];
    const failed: string[] = [];
    const { seeds, attempts } = await scheduled(
      [spec(0), spec(1)],
      (run, context, count) => (run.spec.seed === 0 ? { lost: lost() } : well(run, context, count)),
      { retries: 2, onNotice: (text) => notices.push(text), onError: (_, { message }) => failed.push(message) },
    );
    assert.deepEqual([seeds, attempts, failed], [[1], ['0@0', '0@0', '0@0', '1@0'], ['lost']]);
    assert.equal(notices.length, 2);
  });

  it('a free retry is not counted', async () => {
    const { attempts } = await scheduled(
      [spec(0)],
      (run, context, count) => (count < 9 ? { lost: lost(), retry: 'free' } : well(run, context, count)),
      { retries: 0 },
    );
    assert.equal(attempts.length, 9);
  });

  it('waits at the end for a run that another process makes', async () => {
    const { seeds, attempts } = await scheduled([spec(0), spec(1)], (run, context, count) =>
      run.spec.seed === 0 && !context.wait ? { busy: 'another' } : well(run, context, count),
    );
    assert.deepEqual(
      [seeds, attempts],
      [
        [0, 1],
        ['0@0', '1@0', '0@0 wait'],
      ],
    );
  });

  it('closes a slot whose device is gone, and one that loses its processes, while there are others', async () => {
    for (const slotGone of [true, false]) {
      const { seeds, attempts } = await scheduled(
        [0, 1, 2, 3].map(spec),
        (run, context, count) => (context.slot === 0 ? { lost: lost(), slotGone } : well(run, context, count)),
        { slots: 2, retries: 9, lossesPerSlot: 2 },
      );
      assert.deepEqual(seeds, [0, 1, 2, 3]);
      assert.equal(attempts.filter((each) => each.endsWith('@0')).length, slotGone ? 1 : 2);
    }
  });

  it('throws the first error at the end, a lost executor and a stop at once', async () => {
    const failing: Script = (run, context, count) => {
      if (run.spec.seed === 0) throw new KitError('no', { code: 'NO' });
      return well(run, context, count);
    };
    await assert.rejects(scheduled([spec(0), spec(1)], failing), ({ code }: KitError) => code === 'NO');
    const gone: Script = () => {
      throw new ExecutorLostError('gone', { code: 'GONE' });
    };
    await assert.rejects(scheduled([0, 1, 2].map(spec), gone, { slots: 2 }), ({ code }: KitError) => code === 'GONE');
    const controller = new AbortController();
    const reason = new Error('enough');
    const stopping: Script = () => {
      controller.abort(reason);
      throw reason;
    };
    await assert.rejects(scheduled([0, 1, 2].map(spec), stopping, { slots: 2, signal: controller.signal }), reason);
  });
});
