import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { mapConcurrently } from '../../../src/base/files/concurrently';

describe('mapConcurrently', () => {
  it('has at most `limit` jobs in progress, and the results in the order of the items', async () => {
    let [running, most] = [0, 0];
    const results = await mapConcurrently([5, 1, 4, 2, 3], 2, async (item, index) => {
      most = Math.max(most, ++running);
      await wait(item);
      running--;
      return item * 10 + index;
    });
    assert.deepEqual(results, [50, 11, 42, 23, 34]);
    assert.equal(most, 2);
    assert.deepEqual(await mapConcurrently([], 4, () => Promise.reject(new Error('no job'))), []);
  });

  it('after a failure starts no job, waits for those in progress, and throws the failure', async () => {
    const [started, finished]: number[][] = [[], []];
    const job = async (item: number): Promise<void> => {
      started.push(item);
      await wait(1);
      if (item === 1) throw new Error('one');
      await wait(5);
      finished.push(item);
    };
    await assert.rejects(mapConcurrently([0, 1, 2, 3], 2, job), { message: 'one' });
    assert.deepEqual([started, finished], [[0, 1], [0]]);
  });

  it('stops when the signal is aborted', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const job = (item: number) => Promise.resolve(seen.push(item)).then(() => controller.abort(new Error('stop')));
    await assert.rejects(mapConcurrently([1, 2, 3], 1, job, controller.signal), { message: 'stop' });
    assert.deepEqual(seen, [1]);
  });
});
