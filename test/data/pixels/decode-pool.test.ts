import assert from 'node:assert/strict';
import path from 'node:path';
import { DecodePool } from '../../../src/data/pixels/decode-pool';
import { decode } from '../../../src/data/pixels/decode';
import { resizeShortSide } from '../../../src/data/pixels/resize';
import { packageRoot } from '../../../src/base/home';

describe('DecodePool', function () {
  this.timeout(60_000);
  const file = path.join(packageRoot(), 'test', 'fixtures', 'data', 'rocket.jpg');

  it('gives what one thread gives, and ends its threads when they have finished: none is cut off inside the image library', async () => {
    const pool = new DecodePool(1000);
    const codes = pool['workers'].map((worker) => new Promise<number>((resolve) => worker.on('exit', resolve)));
    assert.equal(codes.length, pool.size);
    const images = await Promise.all(Array.from({ length: 2 * pool.size }, () => pool.run(file, 96)));
    const expected = resizeShortSide(await decode(file), 96);
    for (const image of images) assert.deepEqual(image, expected);
    const underWay = Array.from({ length: pool.size }, () => pool.run(file, 96));
    await pool.close();
    assert.deepEqual(
      await Promise.all(codes),
      codes.map(() => 0),
      'a thread that is terminated ends with 1',
    );
    for (const image of await Promise.all(underWay)) assert.deepEqual(image, expected, 'what is under way is finished');
    await pool.close();
  });
});
