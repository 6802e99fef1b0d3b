// Steps: the default weights and the default data set, fetched and verified by the kit's own commands.
import fs from 'node:fs';
import path from 'node:path';
import { run } from '../child.mjs';
import { hashOf, writeWhole } from '../stamp.mjs';

export const DEFAULT_WEIGHTS = 'efficientnet_lite0.ra_in1k';
export const DEFAULT_DATASET = 'elpv';

/**
 * A step that runs `rifle ...args` and remembers which files of the home's `folder` were there when it had ended well.
 * @param {{name: string, title: string, what: string, folder: 'weights' | 'data', id: string, args: string[], seconds: number, bytes: number}} options
 */
function material({ name, title, what, folder, id, args, seconds, bytes }) {
  const record = (home) => path.join(home, folder, `.set-up-${id}.json`);
  const inputs = { args };

  return {
    name,
    title,
    what,
    seconds,
    writesTo: 'home',
    bytes: () => bytes,

    done({ places }) {
      try {
        const { hash, files } = JSON.parse(fs.readFileSync(record(places.home), 'utf8'));
        const there = files.every((file) => fs.statSync(path.join(places.home, folder, file.path)).size === file.bytes);
        return hash === hashOf(inputs) && there ? `${id} is in ${path.join(places.home, folder)}` : null;
      } catch {
        return null; // no record, or a file of it is missing
      }
    },

    async run({ places, env, signal, progress }) {
      await run(process.execPath, [places.commandLine, ...args], {
        what: `\`npx rifle ${args.join(' ')}\` failed`,
        cwd: places.root,
        env: { ...env, RIFLE_HOME: places.home },
        signal,
        log: places.log,
        onLine: (line) => progress({ detail: line.trim() }),
      });
      const files = filesOf(path.join(places.home, folder), id);
      writeWhole(record(places.home), JSON.stringify({ hash: hashOf(inputs), files }) + '\n');
      return `${id}: ${files.length} ${files.length === 1 ? 'file' : 'files'} in ${path.join(places.home, folder)}`;
    },
  };
}

/** The files of `folder` that belong to `id`: those in whose path it occurs. */
function filesOf(folder, id) {
  const name = id.split('.')[0];
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.set-up-'))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => path.relative(folder, file).includes(name))
    .map((file) => ({ path: path.relative(folder, file), bytes: fs.statSync(file).size }));
}

export const weights = material({
  name: 'weights',
  title: 'default weights',
  what: `npx rifle weights fetch ${DEFAULT_WEIGHTS}`,
  folder: 'weights',
  id: DEFAULT_WEIGHTS,
  args: ['weights', 'fetch', DEFAULT_WEIGHTS],
  seconds: 8,
  bytes: 60e6,
});

export const data = material({
  name: 'data',
  title: 'default data set',
  what: `npx rifle data prepare ${DEFAULT_DATASET}`,
  folder: 'data',
  id: DEFAULT_DATASET,
  args: ['data', 'prepare', DEFAULT_DATASET],
  seconds: 15,
  bytes: 0.5e9,
});
