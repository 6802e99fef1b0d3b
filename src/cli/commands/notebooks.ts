// `rifle notebooks`: re-executes notebooks headless; fails when a cell fails, and says which.
import fs from 'node:fs';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { KitError } from '../../engine/errors';
import { packageRoot } from '../../engine/home';
import { interruptible } from '../interrupt';
import { printJson, printLine, printList } from '../print';

type Parameters = Record<string, unknown>;

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

/** The command. */
export function notebooksCommand(): Command {
  return new Command('notebooks')
    .description('re-execute notebooks headless; exit code 1 when a cell fails')
    .argument('[files...]', "notebooks (default: all of the kit's)")
    .option('--scale <name>', 'smoke, mini or paper (default: RIFLE_SCALE, or smoke)')
    .option('-p, --parameter <name=value>', 'set a parameter after the cell tagged `parameters`; may be repeated', parameter)
    .option('--timeout <seconds>', 'time limit of a cell', (text) => {
      const value = Number(text);
      if (!(value > 0)) throw new InvalidArgumentError('Expected a number of seconds.');
      return value;
    })
    .option('--out <dir>', 'write the executed notebooks here (default: only check them)')
    .option('--in-place', 'write the outputs into the notebooks themselves')
    .option('--json', 'print the results as JSON')
    .addHelpText('after', '\nExamples:\n  $ npx rifle notebooks --scale smoke\n  $ npx rifle notebooks notebooks/00-start.ipynb -p seeds=[0,1,2] --out executed')
    .action(async (files: string[], flags: { scale?: string; parameter?: Parameters; timeout?: number; out?: string; inPlace?: boolean; json?: boolean }) => {
      const { scale } = await import('../../runs/scales.js');
      const { runNotebook } = await import('../../notebook/runner.js');
      const env = { RIFLE_SCALE: scale(flags.scale).name };
      const signal = interruptible();
      const results = [];
      for (const file of files.length > 0 ? files : ownNotebooks()) {
        if (!flags.json) process.stderr.write(`${file}\n`);
        results.push(
          await runNotebook(file, {
            out: flags.inPlace ? file : flags.out === undefined ? undefined : path.join(flags.out, path.basename(file)),
            parameters: flags.parameter,
            env,
            timeoutSeconds: flags.timeout,
            signal,
            onCell: flags.json ? undefined : ({ cell, of, seconds, status }) => process.stderr.write(`  cell ${cell}/${of} ${status} ${seconds.toFixed(1)} s\n`),
          }),
        );
      }
      const failures = results.flatMap(({ failure }) => failure ?? []);
      if (flags.json) printJson(results);
      else {
        const state = (status: string) => (status === 'ok' ? pc.green('passed') : pc.red('failed'));
        printList(['notebook', 'cells', 'seconds', 'state'], results.map(({ notebook, cells, seconds, status }) => [notebook, cells.length, seconds.toFixed(1), state(status)]));
        for (const { notebook, cell, line, source, error } of failures) printLine(`\n${pc.red('failed')}: ${notebook}, cell ${cell}, line ${line ?? '?'}: ${source ?? ''}\n  ${error}`);
      }
      if (failures.length > 0) process.exitCode = 1;
    });
}

function ownNotebooks(): string[] {
  const folder = path.join(packageRoot(), 'notebooks');
  const found = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith('.ipynb')).sort() : [];
  if (found.length === 0) throw new KitError(`There are no notebooks in ${folder}.`, { fix: 'Name the notebooks to run.' });
  return found.map((name) => path.join(folder, name));
}
