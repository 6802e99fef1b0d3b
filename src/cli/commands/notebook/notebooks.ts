// `rifle notebooks`: re-executes notebooks headless; fails when a cell fails, and says which.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { KitError } from '../../../base/errors';
import { packageRoot } from '../../../base/home';
import type { NotebookResult } from '../../../notebook/runner/runner';
import { examples } from '../../examples';
import { interruptible } from '../../interrupt';
import { positiveNumber } from '../../flags/numbers';
import { printJson, printLine, printList } from '../../print';

type Parameters = Record<string, unknown>;

interface NotebooksFlags {
  scale?: string;
  parameter?: Parameters;
  timeout?: number;
  parallel: number;
  out?: string;
  inPlace?: boolean;
  html?: string;
  script?: string;
  checkPairs?: boolean;
  writePairs?: boolean;
  json?: boolean;
}

/** One `-p name=value`: JSON where it reads as such, else text. */
function parameter(text: string, sofar: Parameters | undefined): Parameters {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected name=value.');
  const value = text.slice(at + 1);
  try {
    return { ...sofar, [text.slice(0, at)]: JSON.parse(value) as unknown };
  } catch {
    return { ...sofar, [text.slice(0, at)]: value };
  }
}

const seconds = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('Expected a number of seconds.');
  return value;
};

/** The command. */
export function notebooksCommand(): Command {
  return new Command('notebooks')
    .description('re-execute notebooks headless; exit code 1 when a cell fails')
    .argument('[files...]', "notebooks (default: those in the folder `notebooks` here, else all of the kit's)")
    .option('--scale <name>', 'smoke, mini or paper (default: RIFLE_SCALE, or smoke)')
    .option(
      '-p, --parameter <name=value>',
      'set a parameter after the cell tagged `parameters`; may be repeated',
      parameter,
    )
    .option('--timeout <seconds>', 'time limit of a cell (default: 3600)', seconds)
    .option('--parallel <n>', 'notebooks at a time', positiveNumber, 1)
    .option('--out <dir>', 'write the executed notebooks here (default: only check them)')
    .option('--in-place', 'write the outputs into the notebooks themselves')
    .option('--html <dir>', 'write each executed notebook as a self-contained page here')
    .option('--script <dir>', 'execute nothing; write each notebook as a program that `node NAME.cjs` runs')
    .option(
      '--check-pairs',
      'execute nothing; exit code 1 when a notebook and its text in the folder `text` beside it differ',
    )
    .option('--write-pairs', 'execute nothing; write the texts from the notebooks')
    .option('--json', 'print the results as JSON')
    .addHelpText(
      'after',
      examples(
        'rifle notebooks --scale smoke --parallel 2',
        'rifle notebooks notebooks/00-start.ipynb -p seeds=[0,1,2] --out executed',
        'rifle notebooks --html pages',
        'rifle notebooks --check-pairs',
      ),
    )
    .action(async (given: string[], flags: NotebooksFlags) => {
      const files = given.length > 0 ? given : ownNotebooks();
      if (flags.checkPairs || flags.writePairs) return pairs(files, flags);
      if (flags.script !== undefined) return scripts(files, flags.script, flags);
      await execute(files, flags);
    });
}

async function execute(files: string[], flags: NotebooksFlags): Promise<void> {
  const { scale } = await import('../../../studies/scales.js');
  const { mapConcurrently } = await import('../../../base/files/concurrently.js');
  const { describeFailure, runNotebook } = await import('../../../notebook/runner/runner.js');
  const env = { RIFLE_SCALE: scale(flags.scale).name };
  const signal = interruptible();
  const report = (line: string): void => void (flags.json || process.stderr.write(`${line}\n`));
  checkTargets(files, flags);
  const temporary = flags.html === undefined ? null : fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-html-'));
  const saved = flags.out ?? temporary ?? undefined;
  const parallel = Math.min(flags.parallel, files.length);
  /** A notebook that cannot be run at all is reported as one whose cell failed is: the others are run all the same. */
  const run = async (file: string): Promise<NotebookResult> => {
    const began = performance.now();
    const name = parallel > 1 ? `${path.basename(file)}  ` : '  ';
    if (parallel === 1) report(file);
    try {
      return await runNotebook(file, {
        out: flags.inPlace ? file : saved === undefined ? undefined : path.join(saved, path.basename(file)),
        parameters: flags.parameter,
        env,
        timeoutSeconds: flags.timeout,
        signal,
        onCell: (cell) => report(`${name}cell ${cell.cell}/${cell.of} ${cell.status} ${cell.seconds.toFixed(1)} s`),
      });
    } catch (error) {
      if (!(error instanceof KitError)) throw error;
      const failure = {
        notebook: file,
        cell: 0,
        line: null,
        source: null,
        error: error.fix === '' ? error.message : `${error.message}\n${error.fix}`,
        traceback: '',
      };
      return {
        notebook: file,
        out: null,
        status: 'failed',
        cells: [],
        failure,
        seconds: (performance.now() - began) / 1000,
      };
    }
  };
  let results: NotebookResult[];
  try {
    results = await mapConcurrently(files, parallel, run, signal);
    if (flags.html !== undefined) {
      const { writeHtml } = await import('../../../notebook/runner/html.js');
      const executed = results.flatMap(({ out }) => out ?? []);
      if (executed.length > 0) await writeHtml(executed, flags.html, signal);
    }
  } finally {
    if (temporary !== null) fs.rmSync(temporary, { recursive: true });
  }
  const failures = results.flatMap(({ failure }) => failure ?? []);
  if (failures.length > 0) process.exitCode = 1;
  if (flags.json) return printJson(results);
  const state = (status: string): string => (status === 'ok' ? pc.green('passed') : pc.red('failed'));
  printList(
    ['notebook', 'cells', 'seconds', 'state'],
    results.map(({ notebook, cells, seconds, status }) => [notebook, cells.length, seconds.toFixed(1), state(status)]),
  );
  for (const failure of failures)
    printLine(`\n${pc.red('failed')}: ${failure.cell === 0 ? failure.error : describeFailure(failure)}`);
}

/** Refuses two notebooks that would be written to one file, and a folder for outputs that is none. */
function checkTargets(files: string[], { html, script, out = html ?? script }: NotebooksFlags): void {
  if (out === undefined) return;
  if (fs.statSync(out, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new KitError(`--out ${out}: expected a folder, found a file.`, {
      code: 'NOTEBOOKS_OUT_IS_FILE',
      fix: 'Name a folder; it is made when it is missing.',
    });
  const first = new Map<string, string>();
  for (const file of files) {
    const name = path.basename(file);
    const other = first.get(name);
    if (other !== undefined && path.resolve(other) !== path.resolve(file))
      throw new KitError(`${other} and ${file} would both be written to ${path.join(out, name)}.`, {
        code: 'NOTEBOOKS_SAME_NAME',
        fix: 'Run them one at a time with different folders for --out.',
      });
    first.set(name, file);
  }
}

async function scripts(files: string[], folder: string, flags: NotebooksFlags): Promise<void> {
  const { writeScript } = await import('../../../notebook/runner/script.js');
  checkTargets(files, flags);
  for (const file of files) printLine(await writeScript(file, folder, flags.parameter));
}

async function pairs(files: string[], flags: NotebooksFlags): Promise<void> {
  const { comparePairs } = await import('../../../notebook/runner/pairs.js');
  const found = await comparePairs(files, { write: flags.writePairs });
  const drifted = found.filter(({ state }) => state !== 'same' && state !== 'written');
  if (drifted.length > 0) process.exitCode = 1;
  if (flags.json) return printJson(found);
  printList(
    ['notebook', 'text', 'state'],
    found.map(({ notebook, text, state }) => [
      notebook,
      path.relative(process.cwd(), text),
      state === 'same' ? pc.green(state) : state === 'written' ? pc.cyan(state) : pc.red(state),
    ]),
  );
  for (const { notebook, difference } of drifted) printLine(`\n${notebook}: ${difference}`);
  if (drifted.length > 0)
    printLine(
      [
        '\nAfter a change to the notebook: npx rifle notebooks --write-pairs.',
        'After a change to the text: jupytext --update --to ipynb TEXT --output NOTEBOOK.',
      ].join(' '),
    );
}

function ownNotebooks(): string[] {
  for (const folder of [path.resolve('notebooks'), path.join(packageRoot(), 'notebooks')]) {
    const found = fs.existsSync(folder)
      ? fs
          .readdirSync(folder)
          .filter((name) => name.endsWith('.ipynb'))
          .sort()
      : [];
    if (found.length > 0) return found.map((name) => path.relative(process.cwd(), path.join(folder, name)));
  }
  throw new KitError(`There are no notebooks in the folder notebooks.`, {
    code: 'NOTEBOOKS_NONE',
    fix: 'Name the notebooks to run.',
  });
}
