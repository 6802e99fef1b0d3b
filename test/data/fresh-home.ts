// A home of the kit that is empty, for the tests of one suite, and image folders to test with.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';

/** Sets `RIFLE_HOME` to a new empty folder before every test of the suite that calls it, and removes it after. */
export function useFreshHome(): { readonly path: string } {
  const home = { path: '' };
  let before: string | undefined;
  beforeEach(() => {
    before = process.env.RIFLE_HOME;
    home.path = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-home-'));
    process.env.RIFLE_HOME = home.path;
  });
  afterEach(() => {
    if (before === undefined) delete process.env.RIFLE_HOME;
    else process.env.RIFLE_HOME = before;
    fs.rmSync(home.path, { recursive: true, force: true });
  });
  return home;
}

/**
 * Sets environment variables for the tests of the suite that calls it (undefined: not set), and restores them after.
 */
export function useEnvironment(variables: Record<string, string | undefined>): void {
  const before: Record<string, string | undefined> = {};
  const assign = (values: Record<string, string | undefined>) => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
  beforeEach(() => {
    for (const name of Object.keys(variables)) before[name] = process.env[name];
    assign(variables);
  });
  afterEach(() => assign(before));
}

/** All files below a folder, relative, sorted. */
export function filesBelow(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => fs.statSync(path.join(folder, name)).isFile())
    .sort();
}

/** Bytes of a PNG of one colour with a gradient, so that no two positions look the same. */
export async function makePng(width: number, height: number, seed: number): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3)
      pixels.set([(x * 7 + seed * 31) & 255, (y * 5 + seed * 17) & 255, (x + y + seed) & 255], at);
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** Writes `train|test/<class>/<n>.png`, `counts[split][class]` images each, sizes varying around 40 x 30. */
export async function makeImageFolder(root: string, counts: Record<string, Record<string, number>>): Promise<void> {
  let seed = 0;
  for (const [split, classes] of Object.entries(counts)) {
    for (const [name, count] of Object.entries(classes)) {
      const folder = path.join(root, split, name);
      fs.mkdirSync(folder, { recursive: true });
      for (let i = 0; i < count; i++, seed++)
        fs.writeFileSync(path.join(folder, `${i}.png`), await makePng(40 + (seed % 5), 30 + (seed % 13), seed));
    }
  }
}
