// Cases of images, folders and weights.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { KitError } from '../../src/base/errors';
import { sharp } from '../../src/base/packages';
import { backbones } from '../../src/backbones/backbone';
import { datasets } from '../../src/data/catalog';
import { extract } from '../../src/data/fetch/archive';
import { decode, decodeResized } from '../../src/data/pixels/decode';
import { runProcess, type Run } from './case';

/** The result of `run` in words: its value, or the code of its KitError. Any other error is a fault. */
async function inWords(run: () => Promise<string>): Promise<{ found: string; refused: boolean; raw: boolean }> {
  try {
    return { found: await run(), refused: false, raw: false };
  } catch (error) {
    if (error instanceof KitError) return { found: error.code, refused: true, raw: false };
    return { found: String(error), refused: false, raw: true };
  }
}

/** An image folder of a case, after its links were made: the number of images, or a refusal. */
export const folder =
  (link: [target: string, at: string], counts: string | null): Run =>
  async ({ folder: root, readme }) => {
    fs.symlinkSync(link[0], path.join(root, link[1]));
    const { found, refused } = await inWords(async () => {
      const { train, test } = await datasets.fromFolder(path.join(root, 'set'));
      return `${train.length} ${test.length}`;
    });
    return { expected: readme.EXPECTED, found, ok: refused || found === counts };
  };

/** The first digits of the sha256 of what Pillow 13.0.0 gives for `convert('RGB')`; null: it refuses the file. */
const PILLOW: Readonly<Record<string, string | null>> = {
  '8bit.s.tif': '688646b5aa6df20a',
  'border_touching_layers.gif': '18d1559ac719e0a6',
  'crash-0e16d3bfb83be87356d026d66919deaefca44dac.tif': null,
  'g4_orientation_5.tif': '7724897b9d95f9ac',
  'hopper_lzma.tif': '87ce2dc3eea0549d',
  'lzma.tif': 'b9561779073afaf9',
  'mode-YCbCr.tif': '43d02a047ece6cda',
  'orient6.tif': '7d9d67e9eff849c8',
  'separate_planar_extra_samples.tiff': '8d10adb1603a4db9',
  'zstd.tif': 'b9561779073afaf9',
};

/** Every image of a folder: the pixels of Pillow, or a refusal. */
export const likePillow: Run = async ({ folder: root, readme }) => {
  const wrong: string[] = [];
  let [same, refusals] = [0, 0];
  for (const file of fs.readdirSync(root).filter((name) => /\.(tiff?|avif|gif)$/.test(name))) {
    const { found, refused } = await inWords(async () => {
      const { pixels, width, height } = await decode(path.join(root, file));
      // AVIF may differ by one grey level: its size says whether it was turned.
      return file.endsWith('avif')
        ? `${width}x${height}`
        : createHash('sha256').update(pixels).digest('hex').slice(0, 16);
    });
    const wanted = file === 'orient6.avif' ? '60x40' : PILLOW[file];
    if (refused) refusals++;
    else if (found === wanted) same++;
    else wrong.push(file);
  }
  const found = `${same} as Pillow, ${refusals} refused, ${wrong.length} other${wrong.map((name) => ` ${name}`).join('')}`;
  return { expected: readme.EXPECTED, found, ok: wrong.length === 0 };
};

/** A long thin image. */
export const thin: Run = async ({ out, readme }) => {
  const file = path.join(out, 'thin.png');
  await sharp()({ create: { width: 20_000, height: 2, channels: 3, background: '#888' } })
    .png()
    .toFile(file);
  const { found } = await inWords(() => decodeResized(file, 256).then(({ width }) => `${width} pixels wide`));
  return { expected: readme.EXPECTED, found, ok: found === 'IMAGE_TOO_LARGE' };
};

/** Images of which each must be refused with a code. */
export const refusedImages =
  (codes: Readonly<Record<string, string>>, expected: string): Run =>
  async ({ folder: root }) => {
    const start = performance.now();
    const found = await Promise.all(
      Object.keys(codes).map((name) =>
        inWords(() => decodeResized(path.join(root, name), 112).then(({ width, height }) => `${width}x${height}`)),
      ),
    );
    const seconds = (performance.now() - start) / 1000;
    const ok = Object.values(codes).every((code, i) => found[i].found === code) && seconds < 5;
    return { expected, found: `${found.map((each) => each.found).join(' ')} in ${seconds.toFixed(1)} s`, ok };
  };

/** An archive that must be refused, or extracted, within seconds. */
export const archive =
  (name: string, expected: string): Run =>
  async ({ folder: root, out }) => {
    const start = performance.now();
    const { found, raw } = await inWords(
      async () => `${await extract(path.join(root, name), path.join(out, 'x'))} files`,
    );
    const seconds = (performance.now() - start) / 1000;
    return { expected, found: `${found} in ${seconds.toFixed(1)} s`, ok: !raw && seconds < 5 };
  };

/** Checkpoints that the case's script makes with PyTorch. @param only a pattern for the names that the case is about. */
export const checkpoints =
  (only: RegExp, fits: number): Run =>
  async ({ folder: root, out, readme, python }) => {
    if (python === null)
      return { expected: readme.EXPECTED, found: 'needs --python with torch and torchvision', ok: null };
    const made = path.join(path.dirname(out), '.rifle', 'cases-out', 'pth');
    if (!fs.existsSync(made)) {
      const { code, text } = await runProcess(python, [path.join(root, 'mk_pth.py')], {
        cwd: path.dirname(out),
        seconds: 300,
      });
      if (code !== 0) return { expected: readme.EXPECTED, found: text.slice(-200), ok: null };
    }
    const wrong: string[] = [];
    const files = fs.readdirSync(made).filter((name) => only.test(name));
    for (const file of files) {
      const { found } = await inWords(async () =>
        String((await backbones.match('mobilenet_v2.tv_in1k', path.join(made, file))).matched.length),
      );
      if (found !== String(fits)) wrong.push(`${file} ${found}`);
    }
    const found = `${files.length - wrong.length} of ${files.length} fit${wrong.map((each) => `; ${each}`).join('')}`;
    return { expected: readme.EXPECTED, found, ok: wrong.length === 0 && files.length > 0 };
  };

/** Links, pipes and devices among images: each is refused, or read once, and none of them hangs. */
export const oddFiles: Run = async ({ out }) => {
  const found: string[] = [];
  let ok = true;
  const odd: Record<string, (train: string) => void> = {
    fifo: (train) => void execFileSync('mkfifo', [path.join(train, 'f.png')]),
    loop: (train) => fs.symlinkSync('.', path.join(train, 'x')),
    loops: (train) => ['x', 'y'].forEach((name) => fs.symlinkSync('.', path.join(train, name))),
    device: (train) => fs.symlinkSync('/dev/zero', path.join(train, 'z.png')),
    dangling: (train) => fs.symlinkSync('/nowhere.png', path.join(train, 'd.png')),
  };
  const image = await sharp()({ create: { width: 8, height: 8, channels: 3, background: '#888' } })
    .png()
    .toBuffer();
  for (const [name, make] of Object.entries(odd)) {
    const root = path.join(out, name);
    for (const each of ['train/a', 'train/b', 'test/a', 'test/b']) {
      fs.mkdirSync(path.join(root, each), { recursive: true });
      fs.writeFileSync(path.join(root, each, `${each.replace('/', '')}.png`), image);
    }
    make(path.join(root, 'train', 'a'));
    const result = await inWords(async () => `${(await datasets.fromFolder(root)).train.length} images`);
    ok &&= !result.raw && (result.refused || result.found === '2 images');
    found.push(`${name}: ${result.found}`);
  }
  return { expected: 'a refusal that names the file, or each image once', found: found.join(', '), ok };
};
