// The images of an epoch: each once, or the same number of each class, by hand.
import assert from 'node:assert/strict';
import { epochOrder } from '../../../src/data/batches/sampling';
import { randomStream } from '../../../src/base/random';

describe('epochOrder', () => {
  const labels = [0, 1, 1, 1, 2, 1, 1, 0, 1, 1]; // 2, 7 and 1 images
  const countsOf = (values: Iterable<number>): Map<number, number> => {
    const counts = new Map<number, number>();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    return counts;
  };

  it('shuffles as ever: the permutation of the stream `shuffle`', () => {
    const { samples, streams } = epochOrder(labels, { sampling: 'shuffle', seed: 5, epoch: 2 });
    assert.deepEqual(samples, randomStream(5, 'shuffle', 2).permutation(10));
    assert.equal(streams, samples);
  });

  it('balances: 10 images of 3 classes are 3, 3 and 4; images of a class appear floor or ceil of their share', () => {
    for (let epoch = 0; epoch < 20; epoch++) {
      const { samples, streams } = epochOrder(labels, { sampling: 'balanced', seed: 0, epoch });
      const byClass = [...countsOf(Array.from(samples, (sample) => labels[sample])).values()];
      assert.deepEqual(byClass.sort(), [3, 3, 4]);
      const shown = countsOf(samples);
      const ofClass0 = [0, 7].map((sample) => shown.get(sample) ?? 0).sort();
      assert.ok(['1,2', '2,2'].includes(ofClass0.join()), `two images share 3 or 4 places: ${ofClass0.join()}`);
      for (const sample of [1, 2, 3, 5, 6, 8, 9])
        assert.ok((shown.get(sample) ?? 0) <= 1, 'seven images, 3 or 4 places');
      assert.equal(new Set(streams).size, 10, 'a repeated image has random numbers of its own');
      streams.forEach((stream, i) => assert.equal(stream % 10, samples[i]));
    }
  });

  it('gives the same order again, another one for another seed or epoch, and every class the place that is left over', () => {
    const of = (seed: number, epoch: number) => [...epochOrder(labels, { sampling: 'balanced', seed, epoch }).streams];
    assert.deepEqual(of(1, 3), of(1, 3));
    assert.notDeepEqual(of(1, 3), of(2, 3));
    assert.notDeepEqual(of(1, 3), of(1, 4));
    const withMore = new Set(
      Array.from({ length: 30 }, (_, epoch) => {
        const counts = countsOf(of(0, epoch).map((stream) => labels[stream % 10]));
        return [0, 1, 2].find((label) => counts.get(label) === 4);
      }),
    );
    assert.deepEqual([...withMore].sort(), [0, 1, 2]);
  });
});
