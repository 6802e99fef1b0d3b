import assert from 'node:assert/strict';
import { forgetDefinitions } from '../../src/base/definitions/registry';
import { changesWithinEpoch, ratesAt } from '../../src/transfer/rates';
import { defineReset } from '../../src/transfer/resets/reset';
import { defineSchedule } from '../../src/transfer/schedules/schedule';
import { parseRunSpec } from '../../src/transfer/spec/spec';
import { defineTrick } from '../../src/transfer/tricks/trick';

const linear = (every?: 'step') =>
  defineSchedule({
    name: every === undefined ? 'rates/by-epoch' : 'rates/by-step',
    every,
    factor: (_, { progress, step, group }) => (group === 'head' ? 1 : 1 - progress) + 100 * step,
  });
/** Defined only while these tests run: workers of pools load files with definitions. */
const others = () => {
  const halved = defineTrick({ name: 'rates/halved', rate: (_, { factor }) => factor / 2 });
  const slowHead = defineReset({
    name: 'rates/slow-head',
    timetable: (_, epochs) => ({ epochs, period: 2, resets: [2] }),
    rate: (_, { group, factor, period, epoch }) => (group === 'head' ? (epoch % period) + 1 : factor),
    values: () => ({}),
  });
  return { halved, slowHead };
};

describe('learning rates', () => {
  after(() => forgetDefinitions('rates/'));
  const spec = (changes: object) =>
    parseRunSpec({
      dataset: 'a',
      backbone: 'b',
      epochs: 4,
      optimizer: { learningRate: 0.1, headFactor: 3 },
      ...changes,
    });
  const at = (of: ReturnType<typeof spec>, epoch: number, step: number) =>
    Object.values(ratesAt(of, { epoch, epochs: 4, period: 2, step, steps: 5 })).map((rate) => Number(rate.toFixed(9)));

  it('change once per epoch, whatever the step', () => {
    const byEpoch = spec({ schedule: linear()() });
    assert.equal(changesWithinEpoch(byEpoch), false);
    assert.deepEqual(at(byEpoch, 1, 0), [0.075, 0.3]);
    assert.deepEqual(at(byEpoch, 1, 4), [0.075, 0.3]);
  });

  it('or with every step: progress is (epoch + step / steps) / epochs', () => {
    const byStep = spec({ schedule: linear('step')() });
    assert.equal(changesWithinEpoch(byStep), true);
    assert.deepEqual(at(byStep, 1, 0), [0.075, 0.3]);
    assert.deepEqual(
      at(byStep, 1, 2),
      [0.1 * (1 - 1.4 / 4 + 200), 0.3 * 201].map((x) => Number(x.toFixed(9))),
    );
  });

  it('pass through tricks, then the reset policy', () => {
    const { halved, slowHead } = others();
    const both = spec({ schedule: linear()(), tricks: [halved(), halved()], reset: slowHead() });
    assert.deepEqual(at(both, 2, 0), [0.0125, 0.3]); // 0.1 x 1/2 / 4; 0.1 x 3 x 1
    assert.deepEqual(at(both, 3, 0), [0.00625, 0.6]);
  });
});
