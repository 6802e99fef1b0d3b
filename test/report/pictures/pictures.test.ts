// The grid of sample photographs, from images made here.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import type { Dataset } from '../../../src/data/dataset';
import { sampleGrid } from '../../../src/report/pictures/pictures';

describe('sampleGrid', () => {
  it('has a row a class with its first photographs, cropped square, grey ones too', async () => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-pictures-'));
    try {
      const red = { create: { width: 40, height: 20, channels: 3 as const, background: '#ff0000' } };
      await sharp(red).png().toFile(path.join(root, 'red.png'));
      await sharp(red).greyscale().toColourspace('b-w').jpeg().toFile(path.join(root, 'grey.jpg'));
      const train = [
        { file: 'red.png', label: 0 },
        { file: 'grey.jpg', label: 1 },
        { file: 'grey.jpg', label: 1 },
      ];
      const dataset: Dataset = {
        name: 'two',
        root,
        classes: ['red <things>', 'grey'],
        train,
        test: [],
        hash: '',
        licence: 'CC0',
        citation: '',
      };
      const picture = await sampleGrid(dataset, { perClass: 3, side: 16 });
      const { data, info } = await sharp(picture.png).raw().toBuffer({ resolveWithObject: true });
      assert.deepEqual([info.width, info.height, info.channels], [3 * 20 - 4, 2 * 20 - 4, 3]);
      const at = (x: number, y: number): number[] => [
        ...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3),
      ];
      assert.deepEqual(at(8, 8), [255, 0, 0]);
      assert.deepEqual(at(28, 8), [255, 255, 255], 'a class with fewer photographs leaves room');
      const [r, g, b] = at(28, 28);
      assert.ok(r === g && g === b && r < 200, 'grey');
      const bundle = (picture as unknown as Record<symbol, () => Record<string, string>>)[
        Symbol.for('Jupyter.display')
      ]();
      assert.ok(bundle['text/html'].includes('red &lt;things&gt; (1)') && bundle['text/html'].includes('grey (2)'));
      assert.match(picture.caption, /in brackets the number of all\. CC0\.$/);
      assert.match(
        (await sampleGrid({ ...dataset, licence: '' }, { side: 16 })).caption,
        /in brackets the number of all\.$/,
      );
      assert.equal(Buffer.from(bundle['image/png'], 'base64').readUInt32BE(0), 0x89504e47);
    } finally {
      fs.rmSync(root, { recursive: true });
    }
  });
});
