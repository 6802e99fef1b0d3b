// `rifle reproduce`: the study from data to table, figures and report.
import path from 'node:path';
import { Command } from 'commander';
import pc from 'picocolors';
import { examples } from '../examples';
import { extensionOption, loadForRuns, type ExtensionFlags } from '../flags/extensions';
import { positiveNumber, wholeNumber } from '../flags/numbers';
import { percent, printJson, printLine } from '../print';
import { duration, withProgress } from '../progress';
import { reproduceAgainst, type AgainstFlags } from './reproduce-against';

type ReproduceFlags = ExtensionFlags & AgainstFlags & { scale?: string; against?: string; out: string };

/** The command. */
export function reproduceCommand(): Command {
  return new Command('reproduce')
    .description(
      'run fine-tuning against RIFLE: the runs, the table, the figures and the report; ' +
        'with --against: repeat runs of a bundle and compare their numbers',
    )
    .option('--scale <name>', 'smoke, mini, desk or paper (default: RIFLE_SCALE, or mini)')
    .option('--against <bundle>', 'a bundle of runs, or its folder: repeats its runs and grades each')
    .option('--sample <k>', 'with --against: how many of its runs (default: all)', positiveNumber)
    .option('--sample-seed <n>', 'with --against: chooses them (default: 0)', wholeNumber)
    .option('--runs <dir>', 'where runs are kept; finished ones are reused (with --against: a new folder)')
    .option('--out <file>', 'the report to write', 'rifle-report.html')
    .addOption(extensionOption())
    .option('--json', 'print the records and the table as JSON')
    .addHelpText(
      'after',
      examples(
        'rifle reproduce --scale smoke',
        'rifle reproduce --scale mini --out mini.html',
        'rifle reproduce --against results/mini --sample 2',
      ),
    )
    .action(async (flags: ReproduceFlags) => {
      await loadForRuns(flags);
      if (flags.against !== undefined) return reproduceAgainst(flags.against, flags);
      const { scale } = await import('../../studies/scales.js');
      const chosen = scale(flags.scale ?? process.env.RIFLE_SCALE ?? 'mini');
      const { plan, runAll } = await import('../../studies/plan.js');
      const { titleOf } = await import('../../runs/finetune.js');
      const specs = plan(chosen);
      if (!flags.json)
        printLine(
          `Scale ${pc.bold(chosen.name)}: ${chosen.purpose}.\n` +
            `${specs.length} runs: ${chosen.methods.join(' and ')}, seeds ${chosen.seeds.join(', ')}, ` +
            `on ${chosen.spec.dataset}.`,
        );
      const began = performance.now();
      let reused = 0;
      const records = await withProgress(flags.json, (options) =>
        runAll(specs, { ...options, runs: flags.runs, onRecord: (_, again) => (reused += again ? 1 : 0) }),
      );

      const { methodsTable } = await import('../../report/tables/methods-table.js');
      const { writeReport } = await import('../../studies/results.js');
      const { finalTrainTop1 } = await import('../../report/comparison/grouping.js');
      const table = methodsTable(records);
      const file = path.resolve(flags.out);
      await writeReport(records, { path: file, title: 'Fine-tuning against RIFLE', scale: chosen.name });
      if (flags.json) return printJson({ scale: chosen.name, report: file, reused, records, table: table.toJson() });
      printLine(`\n${table.toText()}`);
      printLine(
        records
          .map(
            (record) =>
              `  ${titleOf(record.spec)}: test top-1 ${percent(record.top1)}, ` +
              `training top-1 ${percent(finalTrainTop1(record))}`,
          )
          .join('\n'),
      );
      printLine(
        `\n${records.length} runs (${reused} of them reused) in ${duration((performance.now() - began) / 1000)}.\n` +
          `Report: ${pc.bold(file)}`,
      );
    });
}
