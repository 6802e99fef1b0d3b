// Step: the kit itself, compiled from TypeScript into dist/.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { run } from '../child.mjs';
import { Problem } from '../problem.mjs';
import { isStamped, stamp } from '../stamp.mjs';

const SOURCES = ['src', 'test', 'bench'];
/** Compile errors that are shown. */
const SHOWN = 20;

/** Paths of all TypeScript files, relative to the package, sorted. */
function sources(root) {
  return SOURCES.filter((folder) => fs.existsSync(path.join(root, folder)))
    .flatMap((folder) =>
      fs.readdirSync(path.join(root, folder), { recursive: true }).map((name) => path.join(folder, name)),
    )
    .filter((file) => file.endsWith('.ts'))
    .sort();
}

function inputs({ places }) {
  const files = [...sources(places.root), 'tsconfig.json', 'package-lock.json'];
  const hash = crypto.createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(fs.readFileSync(path.join(places.root, file)));
  return { sources: hash.digest('hex') };
}

const compiled = (file) => file.replace(/\.ts$/, '.js');
const missing = ({ root, dist }) =>
  sources(root).filter((file) => !file.endsWith('.d.ts') && !fs.existsSync(path.join(dist, compiled(file))));

export default {
  name: 'build',
  title: 'compile the kit',
  what: 'TypeScript into dist/',
  seconds: 20,
  writesTo: 'package',
  bytes: () => 20e6,

  done(context) {
    const { places } = context;
    return isStamped(places.dist, inputs(context)) && missing(places).length === 0
      ? 'dist is what the sources say'
      : null;
  },

  async run(context) {
    const { places, env, signal } = context;
    const from = inputs(context); // before: a source that changes meanwhile is compiled again next time
    const information = path.join(places.dist, '.tsbuildinfo');
    // With outputs missing, what tsc remembers is wrong.
    if (missing(places).length > 0) fs.rmSync(information, { force: true });
    removeOrphans(places);
    const errors = [];
    try {
      await run(
        process.execPath,
        [path.join(places.modules, 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json', '--pretty', 'false'],
        {
          what: 'The TypeScript compiler',
          cwd: places.root,
          env,
          signal,
          log: places.log,
          onLine: (line) => errors.push(line),
        },
      );
    } catch (error) {
      const found = errors.filter((line) => /error TS\d+/.test(line));
      if (found.length === 0) throw error;
      throw new Problem(`The kit does not compile: ${found.length} ${found.length === 1 ? 'error' : 'errors'}.`, {
        output: found.slice(0, SHOWN),
        fix: 'Mend the sources named above; `npm run build` compiles again.',
        cause: error,
      });
    }
    stamp(places.dist, from);
    return `${sources(places.root).length} files`;
  },
};

/** Removes compiled files whose source has gone: mocha would still run them. */
function removeOrphans({ root, dist }) {
  for (const folder of SOURCES) {
    const made = path.join(dist, folder);
    for (const name of fs.existsSync(made) ? fs.readdirSync(made, { recursive: true }) : []) {
      const [, stem] = /^(.*?)(?:\.d\.ts|\.js\.map|\.js)$/.exec(name) ?? [];
      if (stem !== undefined && !fs.existsSync(path.join(root, folder, `${stem}.ts`))) fs.rmSync(path.join(made, name));
    }
  }
}
