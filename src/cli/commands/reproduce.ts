// `rifle reproduce`: the study from data to table, figures and report.
import path from 'node:path';
import { Command } from 'commander';
import pc from 'picocolors';
import { examples } from '../examples';
import { extensionOption, loadForRuns, type ExtensionFlags } from '../flags/extensions';
import { percent, printJson, printLine } from '../print';
import { duration, withProgress } from '../progress';

/** The command. */
export function reproduceCommand(): Command {
  return new Command('reproduce')
    .description('run fine-tuning against RIFLE: the runs, the table, the figures and the report')
    .option('--scale <name>', 'smoke, mini or paper (default: RIFLE_SCALE, or mini)')
    .option('--runs <dir>', 'where runs are kept; finished ones are reused')
    .option('--out <file>', 'the report to write', 'rifle-report.html')
    .addOption(extensionOption())
    .option('--json', 'print the records and the table as JSON')
    .addHelpText('after', examples('rifle reproduce --scale smoke', 'rifle reproduce --scale mini --out mini.html'))
    .action(async (flags: ExtensionFlags & { scale?: string; runs?: string; out: string; json?: boolean }) => {
      await loadForRuns(flags);
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
