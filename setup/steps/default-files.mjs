// Steps: the default weights and the default data set, downloaded and verified by the kit's own commands.
import fs from 'node:fs';
import path from 'node:path';
import { run } from '../system/program.mjs';
import { filesOf, hashOf, holds, writeWhole } from '../system/stamp.mjs';

export const DEFAULT_WEIGHTS = 'efficientnet_lite0.tf_in1k';
export const DEFAULT_DATASET = 'elpv';

/** Folders of data-scripts/manifests. After a change there the step runs again. */
const MANIFESTS = { weights: 'weights', data: 'datasets' };

/**
 * A step that runs `rifle ...args`, which fills the folder `<home>/<kind>/<id>`, and records the files in it. The
 * command verifies their content; this step checks that they are still there.
 * @param {{kind: 'weights' | 'data', title: string, id: string, args: string[], seconds: number, bytes: number}}
 *   options
 */
function defaultFiles({ kind, title, id, args, seconds, bytes }) {
  const record = ({ home }) => path.join(home, kind, `.set-up-${id}.json`);
  const inputs = ({ root }) => ({
    args,
    manifest: fs.readFileSync(path.join(root, 'data-scripts', 'manifests', MANIFESTS[kind], `${id}.json`), 'utf8'),
  });

  return {
    name: kind,
    title,
    what: `npx rifle ${args.join(' ')}`,
    seconds,
    writesTo: 'home',
    bytes: () => bytes,

    done({ paths }) {
      try {
        const { hash, files } = JSON.parse(fs.readFileSync(record(paths), 'utf8'));
        const folder = path.join(paths.home, kind, id);
        return hash === hashOf(inputs(paths)) && holds(folder, files) ? `${id} is in ${folder}` : null;
      } catch {
        return null; // no record
      }
    },

    async run({ paths, env, signal, progress }) {
      await run(process.execPath, [paths.commandLine, ...args], {
        what: `\`npx rifle ${args.join(' ')}\` failed`,
        cwd: paths.root,
        env: { ...env, RIFLE_HOME: paths.home },
        signal,
        log: paths.log,
        onLine: (line) => progress({ detail: line.trim() }),
      });
      const folder = path.join(paths.home, kind, id);
      const files = filesOf(folder);
      writeWhole(record(paths), JSON.stringify({ hash: hashOf(inputs(paths)), files }) + '\n');
      const count = Object.keys(files).length;
      return `${id}: ${count} ${count === 1 ? 'file' : 'files'} in ${folder}`;
    },
  };
}

export const weights = defaultFiles({
  kind: 'weights',
  title: 'default weights',
  id: DEFAULT_WEIGHTS,
  args: ['weights', 'fetch', DEFAULT_WEIGHTS],
  seconds: 5,
  bytes: 60e6,
});

export const data = defaultFiles({
  kind: 'data',
  title: 'default data set',
  id: DEFAULT_DATASET,
  args: ['data', 'prepare', DEFAULT_DATASET],
  seconds: 12,
  bytes: 0.3e9,
});
