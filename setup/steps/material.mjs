// Steps: the default weights and the default data set, fetched and verified by the kit's own commands.
import fs from 'node:fs';
import path from 'node:path';
import { run } from '../child.mjs';
import { filesOf, hashOf, holds, writeWhole } from '../stamp.mjs';

export const DEFAULT_WEIGHTS = 'efficientnet_lite0.tf_in1k';
export const DEFAULT_DATASET = 'elpv';

/** Folders of data-scripts/manifests: a new version there makes a step undone. */
const MANIFESTS = { weights: 'weights', data: 'datasets' };

/**
 * A step that runs `rifle ...args`, which fills the folder `<home>/<kind>/<id>`, and remembers what was in it when it
 * had ended well.
 * That the content is right is the command's to check; here only that it is still there.
 * @param {{kind: 'weights' | 'data', title: string, id: string, args: string[], seconds: number, bytes: number}}
 *   options
 */
function material({ kind, title, id, args, seconds, bytes }) {
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

    done({ places }) {
      try {
        const { hash, files } = JSON.parse(fs.readFileSync(record(places), 'utf8'));
        const folder = path.join(places.home, kind, id);
        return hash === hashOf(inputs(places)) && holds(folder, files) ? `${id} is in ${folder}` : null;
      } catch {
        return null; // no record
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
      const folder = path.join(places.home, kind, id);
      const files = filesOf(folder);
      writeWhole(record(places), JSON.stringify({ hash: hashOf(inputs(places)), files }) + '\n');
      const count = Object.keys(files).length;
      return `${id}: ${count} ${count === 1 ? 'file' : 'files'} in ${folder}`;
    },
  };
}

export const weights = material({
  kind: 'weights',
  title: 'default weights',
  id: DEFAULT_WEIGHTS,
  args: ['weights', 'fetch', DEFAULT_WEIGHTS],
  seconds: 5,
  bytes: 60e6,
});

export const data = material({
  kind: 'data',
  title: 'default data set',
  id: DEFAULT_DATASET,
  args: ['data', 'prepare', DEFAULT_DATASET],
  seconds: 12,
  bytes: 0.3e9,
});
