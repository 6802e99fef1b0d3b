// A small folder of generated photographs-to-be: two classes that differ in colour and stripes, for tests of whole
// runs.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';

/** Makes train/<class>/*.png and test/<class>/*.png in a new folder and gives its path; the caller removes it. */
export async function makeImageFolder({ trainPerClass = 6, testPerClass = 3, size = 40 } = {}): Promise<string> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-images-'));
  for (const [label, name] of ['stripes', 'waves'].entries()) {
    for (const [split, count] of [
      ['train', trainPerClass],
      ['test', testPerClass],
    ] as const) {
      const folder = path.join(root, split, name);
      fs.mkdirSync(folder, { recursive: true });
      for (let i = 0; i < count; i++) {
        const pixels = Uint8Array.from({ length: size * size * 3 }, (_, k) => {
          const [x, y, channel] = [Math.floor(k / 3) % size, Math.floor(k / 3 / size), k % 3];
          const value = label === 0 ? Math.sin(x + i) : Math.cos(x / 5 + y / 3 + i);
          return 128 + 90 * value + (channel === label ? 30 : 0);
        });
        await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
          .png()
          .toFile(path.join(folder, `${i}.png`));
      }
    }
  }
  return root;
}
