// `npm run cases -- FOLDER`: runs every folder of cases (inputs that failed once) against the present build, and prints a
// table: folder, expected, found, ok.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { printJson, printList } from '../../src/cli/print';
import { copyOf, tests, type Case, type Outcome, type Run } from './case';
import { escapes, lab, refusals } from './command-cases';
import { archive, checkpoints, folder, likePillow, oddFiles, refusedImages, thin } from './data-cases';
import { byNbconvert, notebook, rerun, sameName, unknownNotebook } from './notebook-cases';

const VARIABLE = "const w = tf.variable(tf.zeros([3]), true, 'w'); w.shape";
const HISTORY =
  '(() => { const xs: any[] = []; return { push: (t: any) => xs.push(t), ' +
  'read: () => xs.map((t) => (t.isDisposed ? "DISPOSED" : t.dataSync()[0])) }; })()';

/** How each folder is run. Attacks that need a server, a disk or a broken system are those of the tests. */
const RUNS: Readonly<Record<string, Run>> = {
  '01-await-operand': notebook(['', '5', '5', /Promise/, /x/, '-1', /TS2339/]), // of `(p).b` TypeScript says the same in a module,
  '02-module-let': notebook(['1']),
  '03-rename-destructure': notebook(['', '5', '3']),
  '04-hang-odd-message': notebook([/E_X/], { seconds: 30, fails: true }),
  '05-npm-install-while-running': notebook(['1', '', '2']),
  '06-cyclic-import': notebook([/ab/]),
  '07-nested-edit-stale': notebook([/v1/, '', ''], {
    files: { 'b.ts': "export const v: string = 'v1';\n", 'd.json': '{"k": 1}' },
  }),
  '08-dot-and-index': notebook(['1', /lib/, '1']),
  '10-esm-only': notebook(['5', '8']),
  '11-parent-import': notebook(['1']),
  '12-namespace-third-cell': notebook(['', '1', '2']),
  '13-declare-global': notebook(['2', '1']),
  '14-export-in-cell': notebook(['1', '', '']),
  '16-non-ascii-names': notebook(['', /Error: x/, '1 1 1', '', '1 2']),
  '18-reserved-names': notebook(['1', /function/]),
  '20-stdin-question': notebook([/NOTEBOOK_NO_STDIN/], { seconds: 30, fails: true }),
  '21-child-output-lost': notebook([/^from child\nto fd 1\nend$/]),
  '22-lone-surrogate': byNbconvert,
  '23-named-variable-rerun': rerun(
    [
      ['a', "import { tf } from 'rifle-kit';"],
      ['v', VARIABLE],
      ['v', VARIABLE],
      ['v', VARIABLE],
    ],
    /^\[ 3 \]$/,
  ),
  '24-rerun-disposes-held-tensors': rerun(
    [
      ['a', "import { tf } from 'rifle-kit';"],
      ['b', 'class Store { #items: any[] = []; add(t: any) { this.#items.push(t); } get all() { return this.#items.map((t) => t.isDisposed); } }\nconst store = new Store();'], // prettier-ignore
      ['c', `const history = ${HISTORY};`],
      ['d', 'store.add(tf.scalar(1)); history.push(tf.scalar(1));'],
      ['d', 'store.add(tf.scalar(1)); history.push(tf.scalar(1));'],
      ['e', 'JSON.stringify([store.all, history.read()])'],
    ],
    /\[\[false,false\],\[1,1\]\]/,
  ),
  '30-skip-execution': notebook(['', '', '2']),
  '32-same-base-name': sameName,
  '33-long-line-quadratic': notebook([/^\[0,1,2/], { seconds: 20 }),
  '36-symlink-loop': folder(['../..', 'set/train/cat/up'], '2 2'),
  '38-broken-symlink': folder(['/nope.jpg', 'set/train/cat/gone.jpg'], null),
  '40-tiff-avif-gif-decoding': likePillow,
  '41-extreme-aspect-ratio': thin,
  '43-weights-prefix': checkpoints(/^(06|07|08|56|57)/, 262),
  '44-stricter-than-weights_only': checkpoints(/^(16|17|22[a-z]|24|25|26|52|53|54)/, 262),
  'attacks/01-tar-null-blocks': archive('z64.tar.gz', 'ends within seconds'),
  'attacks/03-terminal-escapes': escapes,
  'attacks/04-http-resume': tests(
    'data/fetch/download.test.js',
    'does not put pieces together',
    'no file of two versions is kept',
  ),
  'attacks/05-http-full-disk': tests('data/fetch/download.test.js', 'fills the disk', 'nothing is left on the disk'),
  'attacks/06-image-extreme-aspect': refusedImages(
    {
      'tall-1x60000.png': 'IMAGE_TOO_LARGE',
      'tall-1x200000.png': 'IMAGE_TOO_LARGE',
      'tall-1x10000000.png': 'IMAGE_TOO_LARGE',
      'wide-60000x1.png': 'IMAGE_TOO_LARGE',
    },
    'refused by name, before decoding',
  ),
  'attacks/07-truncated-tiff': refusedImages(
    { '0.5.tif': 'IMAGE_UNREADABLE', '0.99.tif': 'IMAGE_UNREADABLE' },
    'refused, as Pillow does',
  ),
  'attacks/08-svg-as-image': refusedImages(
    { 'svg-file.png': 'IMAGE_UNREADABLE', 'svg-filter.png': 'IMAGE_UNREADABLE' },
    'refused, as Pillow does',
  ),
  'attacks/09-notebook-long-line': notebook([/^x{100}/, '2'], { seconds: 20 }),
  'attacks/14-checkpoint-transient-error': tests(
    'runs/store/checkpoint.test.js',
    'that the disk refuses are not damaged',
    'no checkpoint is deleted, and the run resumes',
  ),
  'attacks/15-checkpoints-stuck': tests(
    'runs/full-disk.test.js',
    'that holds two checkpoints and not three',
    'the older checkpoint makes room',
  ),
  'attacks/16-raw-errors': refusals,
  'attacks/17-dataset-links': oddFiles,
  'attacks/19-plotly-links': tests('report/page/escaping.test.js', 'no markup into figures', 'no link in figures'),
  'attacks/21-foreign-records': tests(
    'runs/store/format/record-file.test.js',
    'files of a finished run',
    'left out, with a code',
  ),
  'attacks/23-channel-weights': tests(
    'runs/prepared.test.js',
    'preparedArrays',
    'an edited or cut cache is computed again',
  ),
  'attacks/24-foreign-folder': tests(
    'runs/store/format/record-file.test.js',
    'a copied folder and what a killed prune left are no runs',
    'no run, and the report is written',
  ),
  'attacks/25-secrets-in-records': tests('runs/store/format/flags.test.js', '', 'no secret is kept or sent'),
  'attacks/27-lab-runs-folder': lab,
  'attacks/28-endless-answers': tests('base/bounded-body.test.js', '', 'bounded in bytes and time'),
};

/** The folders with a README below `root`, and within its `attacks`. */
function foldersOf(root: string): string[] {
  const below = (parent: string): string[] =>
    fs
      .readdirSync(path.join(root, parent), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'attacks')
      .map((entry) => path.posix.join(parent, entry.name));
  return [...below('.'), ...(fs.existsSync(path.join(root, 'attacks')) ? below('attacks') : [])].sort();
}

/** A folder that the table does not know: a notebook is run and shown. */
const unknown: Run = async (given: Case): Promise<Outcome> =>
  (fs.readdirSync(given.folder, { recursive: true }) as string[]).some((file) => file.endsWith('.ipynb'))
    ? unknownNotebook(given)
    : { expected: given.readme.EXPECTED ?? '', found: 'nothing here knows how to run it', ok: null };

new Command('cases')
  .description('runs folders of inputs that failed once against the present build')
  .argument('<folder>', 'that holds one folder for each case')
  .option('--only <names...>', 'cases whose name begins so')
  .option('--python <path>', 'a Python with torch, torchvision and safetensors')
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  $ npm run cases -- ../cases --only 01 attacks/07')
  .action(async (root: string, options: { only?: string[]; python?: string; json?: boolean }) => {
    const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-cases-'));
    const rows: ({ folder: string } & Outcome)[] = [];
    try {
      for (const name of foldersOf(root)) {
        if (options.only?.every((each) => !name.startsWith(each))) continue;
        process.stderr.write(`${name}\n`);
        const given = copyOf(path.join(root, name), name, scratch, options.python ?? null);
        const outcome = await (RUNS[name] ?? unknown)(given).catch((error: unknown) => ({
          expected: given.readme.EXPECTED ?? '',
          found: String(error),
          ok: false,
        }));
        rows.push({ folder: name, ...outcome });
      }
    } finally {
      fs.rmSync(scratch, { recursive: true, force: true });
    }
    if (options.json) printJson(rows);
    else
      printList(
        ['folder', 'expected', 'found', 'ok'],
        rows.map(({ folder: name, expected, found, ok }) => [name, expected, found, ok === null ? 'not run' : ok ? 'yes' : 'NO']), // prettier-ignore
      );
    process.exitCode = rows.some(({ ok }) => ok === false) ? 1 : 0;
  })
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
