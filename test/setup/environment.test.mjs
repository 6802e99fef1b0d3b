// environment.md names every environment variable that the code reads.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..', '..');

/** Read by everything on a machine, and not the kit's to explain; npm_execpath is npm's own. */
const KNOWN_TO_ALL = ['PATH', 'TERM', 'npm_execpath'];

/** What names a variable: `env.NAME`, `env['NAME']`, and, in lists and settings, words that look like one. */
const NAMES = [
  /\benv(?:\??\.|\[['"])([A-Za-z]\w*)/g,
  /['"`]((?:RIFLE|TF|CUDA|NO|HTTPS?|http|https|no)_[A-Za-z_]+)['"`]/g,
  /^\s+((?:TF|CUDA)_[A-Z_]+): /gm,
];

/** Names of variables in the text of a source file, but for those in the doc comments and of types. */
const namesIn = (text) =>
  NAMES.flatMap((pattern) => [...text.matchAll(pattern)].map(([, name]) => name)).filter((name) =>
    /^[A-Z][A-Z0-9_]+$|^(npm_config|http|https|no)_\w+$/.test(name),
  );

describe('environment.md', () => {
  const found = new Map();
  for (const folder of ['src', 'setup', 'bench', 'test/browser']) {
    for (const entry of fs.readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(ts|mjs|cjs)$/.test(entry.name)) continue;
      const file = path.join(entry.parentPath ?? entry.path, entry.name);
      for (const name of namesIn(fs.readFileSync(file, 'utf8'))) found.set(name, path.relative(root, file));
    }
  }
  const described = fs.readFileSync(path.join(root, 'environment.md'), 'utf8');

  it('is looked for in what reads variables in every way there is', () => {
    for (const name of [
      'RIFLE_HOME',
      'RIFLE_RUNS',
      'HTTPS_PROXY',
      'TF_DETERMINISTIC_OPS',
      'CXX',
      'npm_config_nodedir',
      'RIFLE_BENCH_PYTHON',
    ])
      assert.ok(found.has(name), `${name} of ${[...found.keys()].join(' ')}`);
  });

  it('names every variable that the code reads', () => {
    const missing = [...found].filter(([name]) => !KNOWN_TO_ALL.includes(name) && !described.includes(`\`${name}\``));
    assert.deepEqual(missing, []);
  });
});
