import assert from 'node:assert/strict';
import { queueEstimate } from '../../src/studies/queueing';

describe('a sweep on paper', () => {
  it('is what a calculation by hand gives', () => {
    // Two devices, runs of 3, 2, 4, 1, 2 s. First device: 3 (0 to 3), 1 (3 to 4), 2 (4 to 6); second: 2 (0 to 2), 4 (2
    // to 6). Work 12 = 2 x 6.
    assert.deepEqual(queueEstimate([3, 2, 0, 4, 1, 2], 2), {
      devices: 2,
      makespan: 6,
      busy: 1,
      meanWait: (0 + 0 + 2 + 3 + 4) / 5,
      longestWait: 4,
      bound: 6,
    });
    // One after another: waits 0, 3, 5, 9, 10.
    assert.deepEqual(queueEstimate([3, 2, 4, 1, 2], 1), {
      devices: 1,
      makespan: 12,
      busy: 1,
      meanWait: 27 / 5,
      longestWait: 10,
      bound: 12,
    });
    // More devices than runs: none waits, the longest decides; 12 of 4 x 8 s are work.
    assert.deepEqual(queueEstimate([3, 2, 4, 1, 2], 8), {
      devices: 8,
      makespan: 4,
      busy: 12 / 32,
      meanWait: 0,
      longestWait: 0,
      bound: 4,
    });
  });

  it("shows Graham's worst case: the long run last", () => {
    // 2 devices: 1, 1, 2 in this order take 3, the best order 2: 2 - 1/2 times as long.
    const { makespan, bound } = queueEstimate([1, 1, 2], 2);
    assert.deepEqual([makespan, bound], [3, 2]);
  });

  it('adds the start of a job to each run that is to be made', () => {
    assert.equal(queueEstimate([10, 0, 20], 1, 5).makespan, 40);
    assert.deepEqual(queueEstimate([0, 0], 4, 5), {
      devices: 4,
      makespan: 0,
      busy: 1,
      meanWait: 0,
      longestWait: 0,
      bound: 0,
    });
  });
});
