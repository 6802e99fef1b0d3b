// Step: compiles the kit from TypeScript into dist/.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { run } from '../system/program.mjs';
import { SetupError } from '../setup-error.mjs';
import { isStamped, stamp } from '../system/stamp.mjs';

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

function inputs({ paths }) {
  const files = [...sources(paths.root), 'tsconfig.json', 'package-lock.json'];
  const hash = crypto.createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(fs.readFileSync(path.join(paths.root, file)));
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
    const { paths } = context;
    return isStamped(paths.dist, inputs(context)) && missing(paths).length === 0 ? 'dist is up to date' : null;
  },

  async run(context) {
    const { paths, env, signal } = context;
    const from = inputs(context); // read before: a source that changes meanwhile is compiled again the next time
    const information = path.join(paths.dist, '.tsbuildinfo');
    // When outputs are missing, the build information of tsc is wrong.
    if (missing(paths).length > 0) fs.rmSync(information, { force: true });
    removeOrphans(paths);
    const errors = [];
    try {
      await run(
        process.execPath,
        [path.join(paths.modules, 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json', '--pretty', 'false'],
        {
          what: 'The TypeScript compiler',
          cwd: paths.root,
          env,
          signal,
          log: paths.log,
          onLine: (line) => errors.push(line),
        },
      );
    } catch (error) {
      const found = errors.filter((line) => /error TS\d+/.test(line));
      if (found.length === 0) throw error;
      throw new SetupError(`The kit does not compile: ${found.length} ${found.length === 1 ? 'error' : 'errors'}.`, {
        output: found.slice(0, SHOWN),
        fix: 'Correct the sources named above, then run `npm run build`.',
        cause: error,
      });
    }
    stamp(paths.dist, from);
    return `${sources(paths.root).length} files`;
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
