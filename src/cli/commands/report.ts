// `rifle report`: tables and figures of all finished runs in one HTML file, or one file a study.
import path from 'node:path';
import { Command } from 'commander';
import { KitError } from '../../base/errors';
import type { FigureSources } from '../../report/page/exhibits';
import type { RunRecord } from '../../runs/store/record';
import type { RunStore } from '../../runs/store/store';
import { examples } from '../examples';
import { printJson, printLine, warnLeftOut } from '../print';
import { withProgress } from '../progress';

interface ReportFlags {
  runs?: string;
  out: string;
  scale?: string;
  study?: string[];
  separate?: boolean;
  analyses?: boolean;
  export?: string;
  title: string;
  json?: boolean;
}

/** The command. */
export function reportCommand(): Command {
  return new Command('report')
    .description('write tables and figures of the finished runs to one HTML file; each number shows the runs behind it')
    .option('--runs <dir>', "where finished runs are kept (default: the kit's own folder)")
    .option('--out <file>', 'the report to write', 'rifle-report.html')
    .option('--scale <name>', 'only the runs of this scale, for example mini (default: all runs)')
    .option('--study <ids...>', 'only these studies, for example t2 t3 (default: those that have runs)')
    .option('--separate', 'one file a study, named after it, beside --out')
    .option('--analyses', 'also compute the figures that need kept weights, f4 and f5 (minutes)')
    .option(
      '--export <dir>',
      'also write every table as CSV, JSON and LaTeX and every figure as SVG, plotly JSON and CSV here',
    )
    .option('--title <text>', 'title of the report', 'Runs and results')
    .option('--json', 'print the tables as JSON')
    .addHelpText(
      'after',
      examples(
        'rifle report --runs my-runs --out my-report.html',
        'rifle report --scale mini --study t2 t3 --separate --export results',
      ),
    )
    .action(async (flags: ReportFlags) => {
      const { RunStore } = await import('../../runs/store/store.js');
      const store = new RunStore(flags.runs);
      const records = await recordsOf(store.list(warnLeftOut), store.root, flags.scale);
      const { exhibits } = await import('../../studies/study.js');
      const { exportAll, sourcesOf, writeReport } = await import('../../report/page/export.js');
      const { exhibitsFor, requireExhibits } = await import('../../report/page/exhibits.js');
      const registered = exhibits();
      requireExhibits(registered, flags.study ?? []);
      const sources = flags.analyses ? await analysesOf(records, store, flags.study) : {};
      const options = { exhibits: registered, scale: flags.scale, studies: flags.study, store, sources };
      const shown = exhibitsFor(records, registered, options, sourcesOf(options), flags.study);
      const parts = flags.separate
        ? shown.map(({ exhibit: { id, title } }) => ({
            file: besides(flags.out, id),
            title: `${flags.title}: ${title}`,
            studies: [id],
          }))
        : [{ file: flags.out, title: flags.title, studies: flags.study }];
      const files: string[] = [];
      for (const { file, title, studies } of parts)
        files.push(await writeReport(records, { ...options, path: path.resolve(file), title, studies }));
      const exported =
        flags.export === undefined ? [] : await exportAll(records, flags.export, options).catch(refuse(flags.export));
      const tables = shown.flatMap(({ table }) => table ?? []);
      if (flags.json)
        return printJson({
          report: files[0],
          reports: files,
          exported,
          runs: records.length,
          tables: tables.map((table) => table.toJson()),
        });
      for (const table of tables) printLine(`${table.toText()}\n`);
      printLine(`Report of ${records.length} runs: ${files.join(', ')}`);
      if (exported.length > 0)
        printLine(`${exported.length} files of tables and figures: ${path.resolve(flags.export!)}`);
    });
}

/** The records of the scale. @throws KitError when there are none, with the command that makes some. */
async function recordsOf(all: RunRecord[], root: string, scale: string | undefined): Promise<RunRecord[]> {
  if (all.length === 0)
    throw new KitError(`Expected finished runs in ${root}, found none.`, {
      code: 'REPORT_NO_RECORDS',
      fix: `Make some: \`npx rifle reproduce --scale ${scale ?? 'smoke'}\`.`,
    });
  if (scale === undefined) return all;
  const { atScale } = await import('../../studies/at-scale.js');
  const records = atScale(all, scale);
  if (records.length === 0)
    throw new KitError(`Expected runs of scale ${scale} in ${root}, found none among ${all.length} finished runs.`, {
      code: 'REPORT_NO_RECORDS',
      fix: `Make some: \`npx rifle reproduce --scale ${scale}\`.`,
    });
  return records;
}

/** What the figures of the registered studies (or of those named) are drawn from besides records. */
async function analysesOf(
  records: RunRecord[],
  store: RunStore,
  names: readonly string[] | undefined,
): Promise<FigureSources> {
  const { studies } = await import('../../studies/study.js');
  const wanted = studies.list().filter(({ name }) => names === undefined || names.includes(name));
  return withProgress(false, async (options) => {
    const context = { ...options, weightsOf: (id: string) => store.weights(id) };
    const sources: FigureSources = {};
    for (const { analyse } of wanted) Object.assign(sources, await analyse?.(records, context));
    return sources;
  });
}

/** `report.html` and `t2` make `report-t2.html`. */
function besides(file: string, id: string): string {
  const { dir, name, ext } = path.parse(file);
  return path.join(dir, `${name}-${id}${ext || '.html'}`);
}

/** Turns a failure to write into `folder` into a KitError. */
const refuse =
  (folder: string) =>
  (cause: unknown): never => {
    if ((cause as NodeJS.ErrnoException).code === undefined) throw cause;
    throw new KitError(`Tables and figures could not be written to ${folder}: ${(cause as Error).message}`, {
      code: 'EXPORT_NOT_WRITTEN',
      fix: 'Name a folder that can be written to.',
      cause,
    });
  };
