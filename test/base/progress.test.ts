// Lengths of time in words, and the pace of a task by a clock that the test turns.
import assert from 'node:assert/strict';
import { duration, Pace } from '../../src/base/progress';

describe('duration', () => {
  it('is in words, with two units at most', () => {
    assert.deepEqual([-3, 0, 9.4, 59.4, 59.6, 125, 3599.4, 3600, 3900, 90_061].map(duration), [
      '0 s',
      '0 s',
      '9 s',
      '59 s',
      '1 min 00 s',
      '2 min 05 s',
      '59 min 59 s',
      '1 h 00 min',
      '1 h 05 min',
      '25 h 01 min',
    ]);
  });
});

describe('Pace', () => {
  let clock = 0;
  const pace = new Pace(() => clock);
  const left = (seconds: number, done: number, total: number): number | null => {
    clock = 1000 * seconds;
    pace.note({ done, total });
    return pace.secondsLeft({ done, total });
  };

  it('counts from the first report, whose units took no time that is known', () => {
    assert.equal(left(10, 5, 10), null);
    assert.equal(left(12, 6, 10), 8); // one unit in 2 s, four to go
    assert.equal(left(14, 6, 9), 12); // one in 4 s, three to go: fewer in all, the pace stays
  });

  it('restarts when a task is reported again', () => {
    assert.equal(left(20, 3, 9), null); // less than at the beginning
    assert.equal(left(21, 4, 9), 5);
    assert.equal(left(22, 9, 9), 0);
    assert.equal(left(100, 4, 9), null, 'over, and begun again where it stood');
    assert.equal(left(101, 5, 9), 4);
  });
});
