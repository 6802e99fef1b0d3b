// Crops against Python's rounding and hand-made images.
import assert from 'node:assert/strict';
import { centerCrop, centerOffset, copyCrop, randomCrop } from '../../../src/data/batches/crop';
import { randomStream } from '../../../src/base/random';

describe('centerOffset', () => {
  it("rounds as Python's int(round((length - size) / 2.0))", () => {
    // python3 -c "print([int(round(d / 2.0)) for d in range(12)])"
    const python = [0, 0, 1, 2, 2, 2, 3, 4, 4, 4, 5, 6];
    assert.deepEqual(
      python.map((_, difference) => centerOffset(224 + difference, 224)),
      python,
    );
  });
});

describe('copyCrop', () => {
  // A 4 x 3 image whose pixels are 10 y + x, in all channels plus 0, 100, 200.
  const [width, height] = [4, 3];
  const image = Uint8Array.from(
    { length: width * height * 3 },
    (_, i) => 10 * Math.floor(i / 3 / width) + (Math.floor(i / 3) % width) + 100 * (i % 3),
  );
  const red = (crop: { top: number; left: number; mirror: boolean }, firstRow = 0) => {
    const target = new Uint8Array(2 * 2 * 3 + 3);
    copyCrop(image.subarray(firstRow * width * 3), firstRow, width, crop, 2, target, 3);
    assert.deepEqual([...target.subarray(0, 3)], [0, 0, 0], 'writes from its place on');
    const pixels = [...target.subarray(3)];
    assert.ok(
      pixels.every((value, i) => value === pixels[i - (i % 3)] + 100 * (i % 3)),
      'channels stay together',
    );
    return pixels.filter((_, i) => i % 3 === 0);
  };

  it('cuts the square', () => {
    assert.deepEqual(red({ top: 1, left: 2, mirror: false }), [12, 13, 22, 23]);
    assert.deepEqual(red({ top: 1, left: 0, mirror: false }, 1), [10, 11, 20, 21]);
  });

  it('mirrors first and cuts then', () => {
    // The mirrored rows are 3 2 1 0 and 13 12 11 10.
    assert.deepEqual(red({ top: 0, left: 1, mirror: true }), [2, 1, 12, 11]);
    assert.deepEqual(red({ top: 1, left: 2, mirror: true }, 1), [11, 10, 21, 20]);
  });
});

describe('randomCrop', () => {
  it('reaches every place and both sides about equally often, and nothing outside', () => {
    const counts = new Map<string, number>();
    for (let index = 0; index < 6000; index++) {
      const { top, left, mirror } = randomCrop(12, 11, 10, randomStream(1, 'crop', 0, index));
      const key = `${top} ${left} ${mirror}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    assert.equal(counts.size, 2 * 3 * 2); // 11 - 10 + 1 tops, 12 - 10 + 1 lefts, mirrored or not
    // 500 expected each, standard deviation 21: six of them.
    for (const count of counts.values()) assert.ok(Math.abs(count - 500) < 130, String(count));
  });

  it('is the whole image when it just fits', () => {
    const { top, left } = randomCrop(10, 10, 10, randomStream(1, 'crop'));
    assert.deepEqual([top, left], [0, 0]);
    assert.deepEqual(centerCrop(10, 10, 10), { top: 0, left: 0, mirror: false });
  });
});
