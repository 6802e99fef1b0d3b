// Ticks: round numbers, as many as there is room for.
import assert from 'node:assert/strict';
import { logTicks, shortNumber, tickStep } from '../../../src/report/drawing/axes';

describe('axes', () => {
  it('step by 1, 2 or 5 times a power of ten', () => {
    assert.deepEqual(
      [
        [40, 10],
        [40, 8],
        [100, 4],
        [0.3, 10],
      ].map(([length, most]) => Math.round(1e9 * tickStep(length, most)) / 1e9),
      [5, 5, 50, 0.05],
    );
  });

  it('mark powers of ten, and more where there is room', () => {
    assert.deepEqual(logTicks(0.5, 120, 4).values, [1, 10, 100]);
    assert.deepEqual(logTicks(0.5, 120, 8).values, [0.5, 1, 2, 5, 10, 20, 50, 100]);
    assert.deepEqual(logTicks(0.3, 1, 9).values, [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    assert.deepEqual(logTicks(0.96, 1.07, 4).values, [1, 1.05], 'round steps in less than a tenth of a decade');
    assert.deepEqual(logTicks(0.96, 1.07, 8).texts, ['0.96', '0.98', '1', '1.02', '1.04', '1.06']);
    assert.deepEqual(logTicks(1e-9, 1, 5).texts, ['1e−8', '1e−6', '1e−4'.replace('1e−4', '0.0001'), '0.01', '1']);
  });

  it('are short', () => {
    assert.deepEqual([0.0002, 0.00002, 5, 2e7, -3].map(shortNumber), ['0.0002', '2e−5', '5', '2e7', '−3']);
  });
});
