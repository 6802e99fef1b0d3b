// `rifle report`: tables and figures of all finished runs in one HTML file, or one file a study.
import path from 'node:path';
import { Command } from 'commander';
import { KitError } from '../../base/errors';
import type { FigureSources } from '../../report/page/exhibits';
import type { RunRecord } from '../../runs/store/record';
import type { RunStore } from '../../runs/store/store';
import { interruptible } from '../interrupt';
import { printJson, printLine, warnLeftOut } from '../print';
import { showProgress } from '../progress';

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
    .option('--scale <name>', 'only the runs of this scale: smoke, mini or paper (default: all runs)')
    .option('--study <ids...>', 'only these studies, for example t2 t3 (default: those that there are runs of)')
    .option('--separate', 'one file a study, named after it, beside --out')
    .option('--analyses', 'also compute figures f4 and f5 from the weights that were kept (minutes)')
    .option(
      '--export <dir>',
      'also write every table as CSV, JSON and LaTeX and every figure as SVG, plotly JSON and CSV here',
    )
    .option('--title <text>', 'title of the report', 'RIFLE: runs and results')
    .option('--json', 'print the tables as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx rifle report --runs my-runs --out my-report.html\n  $ npx rifle report --scale mini --study t2 t3 --separate --export results',
    )
    .action(async (flags: ReportFlags) => {
      const { RunStore } = await import('../../runs/store/store.js');
      const store = new RunStore(flags.runs);
      const records = await recordsOf(store.list(warnLeftOut), store.root, flags.scale);
      const { exportAll, sourcesOf, writeReport } = await import('../../report/page/export.js');
      const { present, requireExhibits } = await import('../../report/page/exhibits.js');
      requireExhibits(flags.study ?? []);
      const sources = flags.analyses ? await analysesOf(records, store) : {};
      const options = { scale: flags.scale, studies: flags.study, store, sources };
      const shown = present(records, options, sourcesOf(options), flags.study);
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
    throw new KitError(`There are no finished runs in ${root}.`, {
      fix: `Make some first: \`npx rifle reproduce --scale ${scale ?? 'smoke'}\`.`,
    });
  if (scale === undefined) return all;
  const { atScale } = await import('../../report/page/at-scale.js');
  const records = atScale(all, scale);
  if (records.length === 0)
    throw new KitError(`Of ${all.length} finished runs in ${root} none is of scale ${scale}.`, {
      fix: `Make some first: \`npx rifle reproduce --scale ${scale}\`.`,
    });
  return records;
}

/**
 * The rows of figures f4 and f5, of the fine-tuning and RIFLE runs whose weights were kept. @throws KitError when there
 * are none.
 */
async function analysesOf(records: RunRecord[], store: RunStore): Promise<FigureSources> {
  const { mainRuns } = await import('../../report/page/exhibits.js');
  const runs = mainRuns(records).flatMap((record) => {
    const weights = record.status === 'finished' ? store.weights(record.id) : null;
    return weights === null ? [] : [{ record, weights }];
  });
  if (runs.length === 0)
    throw new KitError('There are no runs whose weights were kept.', {
      fix: 'Make some: `npx rifle sweep --study f4`.',
    });
  const [{ lowLevelFeatures }, { ckaByStage }] = [
    await import('../../analysis/low-level.js'),
    await import('../../analysis/representations.js'),
  ];
  const display = showProgress();
  try {
    const options = { onProgress: display.onProgress, signal: interruptible() };
    return { lowLevel: await lowLevelFeatures(runs, options), cka: await ckaByStage(runs, options) };
  } finally {
    display.stop();
  }
}

/** `report.html` and `t2` make `report-t2.html`. */
function besides(file: string, id: string): string {
  const { dir, name, ext } = path.parse(file);
  return path.join(dir, `${name}-${id}${ext || '.html'}`);
}

/** A failure to write into `folder`, in the user's terms. */
const refuse =
  (folder: string) =>
  (cause: unknown): never => {
    if ((cause as NodeJS.ErrnoException).code === undefined) throw cause;
    throw new KitError(`Tables and figures could not be written to ${folder}: ${(cause as Error).message}`, {
      fix: 'Name a folder that can be written to.',
      cause,
    });
  };
