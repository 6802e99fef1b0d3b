// `rifle report`: tables and figures of all finished runs in one HTML file.
import path from 'node:path';
import { Command } from 'commander';
import { KitError } from '../../engine/errors';
import { printJson, printLine } from '../print';

/** The command. */
export function reportCommand(): Command {
  return new Command('report')
    .description('write tables and figures of the finished runs to one HTML file')
    .option('--runs <dir>', "where finished runs are kept (default: the kit's own folder)")
    .option('--out <file>', 'the report to write', 'rifle-report.html')
    .option('--export <dir>', 'also write every table as CSV, JSON and LaTeX and every figure as SVG and plotly JSON here')
    .option('--title <text>', 'title of the report', 'RIFLE: runs and results')
    .option('--json', 'print the table as JSON')
    .addHelpText('after', '\nExample:\n  $ npx rifle report --runs my-runs --out my-report.html')
    .action(async (flags: { runs?: string; out: string; export?: string; title: string; json?: boolean }) => {
      const { RunStore } = await import('../../runs/store.js');
      const store = new RunStore(flags.runs);
      const records = store.list();
      if (records.length === 0) throw new KitError(`There are no finished runs in ${store.root}.`, { fix: 'Make some first: `npx rifle reproduce --scale smoke`.' });
      const { methodsTable } = await import('../../report/table.js');
      const { exportAll, writeReport } = await import('../../report/export.js');
      const file = path.resolve(flags.out);
      await writeReport(records, { path: file, title: flags.title });
      const exported = flags.export === undefined ? [] : await exportAll(records, flags.export).catch(refuse(flags.export));
      const table = methodsTable(records);
      if (flags.json) return printJson({ report: file, exported, runs: records.length, table: table.toJson() });
      printLine(table.toText());
      printLine(`\nReport of ${records.length} runs: ${file}`);
      if (exported.length > 0) printLine(`${exported.length} files of tables and figures: ${path.resolve(flags.export!)}`);
    });
}

/** A failure to write into `folder`, in the user's terms. */
const refuse = (folder: string) => (cause: unknown): never => {
  if ((cause as NodeJS.ErrnoException).code === undefined) throw cause;
  throw new KitError(`Tables and figures could not be written to ${folder}: ${(cause as Error).message}`, { fix: 'Name a folder that can be written to.', cause });
};
