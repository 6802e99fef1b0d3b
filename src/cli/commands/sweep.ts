// `rifle sweep`: all runs of one study or of several, in worker processes or on a Ray cluster.
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import pc from 'picocolors';
import { KitError } from '../../base/errors';
import type { PoolOptions } from '../../runs/pool/pool';
import type { RunRecord } from '../../runs/store/record';
import type { Vary } from '../../studies/vary';
import type { RunSpec } from '../../transfer/spec/spec';
import { examples } from '../examples';
import { extensionOption, loadForRuns, type ExtensionFlags } from '../flags/extensions';
import { interruptible } from '../interrupt';
import { positiveNumber } from '../flags/numbers';
import { varied } from '../flags/vary';
import { printJson, printLine, printList } from '../print';
import { duration } from '../progress';
import { showSweep } from '../sweep-display';

interface SweepFlags extends ExtensionFlags {
  study?: string[];
  dataset?: string[];
  scale?: string;
  vary?: Vary;
  evaluateOn?: RunSpec['evaluateOn'];
  folds?: number;
  workers?: number;
  devices?: string;
  retries: number;
  runs?: string;
  dryRun?: boolean;
  calibrate?: boolean;
  imagesPerSecond?: number;
  checkpointMinutes?: number;
  ray?: string;
  rayCpus?: number;
  rayGpus?: number;
  rayMemory?: number;
  rayJobs?: number;
  rayKit?: string;
  rayNode?: string;
  rayLeave?: boolean;
  tensorboard?: string;
  mlflow?: string;
  json?: boolean;
}

const number = (text: string): number => {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('Expected a number from 0.');
  return Number(text);
};

/** The command. */
export function sweepCommand(): Command {
  return new Command('sweep')
    .description('make the runs of studies: t2 to t5, f1 to f5, variants, choice, forgetting (default: all)')
    .option('--study <names...>', 'which studies')
    .option('--scale <name>', 'smoke, mini, paper or a scale of your own (default: RIFLE_SCALE, or mini)')
    .option(
      '--dataset <names...>',
      'data sets or folders (default: those of the scale, and at mini the folders in RIFLE_DATA)',
    )
    .option('--vary <field=values>', 'try these values of a field of each run, all combinations (repeatable)', varied)
    .addOption(
      new Option(
        '--evaluate-on <images>',
        'validation: a fifth of the training images (default with --vary), test, or both',
      ).choices(['validation', 'test', 'both']),
    )
    .option('--folds <k>', 'cross-validation: each run once for each of k folds', positiveNumber)
    .option(
      '--workers <n>',
      'processes; on the CPU they share the cores (default: one for each GPU, or one)',
      positiveNumber,
    )
    .option('--devices <list>', 'GPUs to use, for example 0,2 (default: all)')
    .option('--retries <n>', 'how often a run is repeated after its process died', number, 2)
    .option('--runs <dir>', 'where runs are kept; finished ones are reused, unfinished ones resume')
    .option(
      '--checkpoint-minutes <n>',
      'time between two checkpoints of an epoch; each epoch ends with one anyway (default: 10)',
      number,
    )
    .option('--ray <url>', 'make the runs on a Ray cluster, by the address of its dashboard (see docs/ray.md)')
    .option('--ray-cpus <n>', 'CPUs of a run (default: 2)', positiveNumber)
    .option('--ray-gpus <n>', 'GPUs of a run (default: 1 where the cluster has any)', number)
    .option('--ray-memory <GB>', 'memory that is reserved for a run (default: none)', number)
    .option('--ray-jobs <n>', 'jobs that are submitted at once (default: 64)', positiveNumber)
    .option('--ray-kit <dir>', 'where the kit is on the nodes (default: the same path as here)')
    .option('--ray-node <program>', 'Node.js on the nodes (default: node)')
    .option('--ray-leave', 'Ctrl-C leaves the jobs to the cluster; the same command finds them again')
    .addOption(extensionOption())
    .option('--tensorboard <dir>', 'write TensorBoard event files too, a folder for each run')
    .option('--mlflow <url>', 'send numbers to an MLflow server too')
    .option('--dry-run', 'print the runs and an estimate of their time, and stop')
    .option('--calibrate', 'estimate from a few steps of each kind of run that is missing')
    .option(
      '--images-per-second <n>',
      'pace of training for the estimate (default: that of the runs that are there; at paper scale 300, an assumption)',
      positiveNumber,
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nCtrl-C stops every run after a checkpoint, a second Ctrl-C stops at once; the same command resumes them.\n' +
        examples(
          'rifle sweep --study t2 t3 --scale mini --workers 2',
          'rifle sweep --scale paper --dry-run',
          "rifle sweep --study t2 --vary 'optimizer.learningRate=0.003,0.01' --vary batchSize=16,32",
          'rifle sweep --study t2 --scale paper --ray http://127.0.0.1:8265',
        ) +
        '\n  $ RIFLE_DATA=./photos npx rifle sweep --study t2    # also on a folder of your own',
    )
    .action(async (flags: SweepFlags) => {
      await loadForRuns(flags);
      const { scale } = await import('../../studies/scales.js');
      const { sweepPlan } = await import('../../studies/sweep.js');
      const calibrate = flags.calibrate ? (await import('../../studies/calibrate.js')).calibrate : undefined;
      const name = scale(flags.scale ?? process.env.RIFLE_SCALE ?? 'mini').name;
      const planned = await sweepPlan({
        studies: flags.study,
        datasets: flags.dataset,
        scale: name,
        vary: flags.vary,
        evaluateOn: flags.evaluateOn,
        folds: flags.folds,
        runs: flags.runs,
        imagesPerSecond: flags.imagesPerSecond,
        calibrate,
      });
      if (flags.dryRun) {
        if (flags.json) return printJson(planned);
        printList(
          ['study', 'data set', 'backbone', 'method', ...(flags.vary ? ['varied'] : []), 'seeds', 'missing', 'hours'],
          planned.rows.map((row) => [
            row.study,
            row.dataset,
            row.backbone,
            row.method,
            ...(flags.vary ? [row.varied] : []),
            row.seeds.join(' '),
            row.missing,
            row.hours === null ? '?' : row.hours.toFixed(2),
          ]),
        );
        printLine(`\n${planned.specs.length} different runs, ${planned.missing} to make. ${planned.estimate}`);
        return;
      }
      const make = await maker(flags);
      if (!flags.json)
        process.stderr.write(`${planned.specs.length} runs, ${planned.missing} to make. ${planned.estimate}\n`);
      const display = showSweep({ seconds: planned.seconds, workers: flags.workers ?? 1, quiet: flags.json });
      const began = performance.now();
      const failures: string[] = [];
      let made = 0;
      const records = await make(planned.specs, {
        // jobs run in other folders
        tracking: { tensorboard: flags.tensorboard && path.resolve(flags.tensorboard), mlflow: flags.mlflow },
        retries: flags.retries,
        runs: flags.runs,
        keepWeights: planned.keepWeights,
        checkpointMinutes: flags.checkpointMinutes,
        signal: interruptible(),
        onRun: display.onRun,
        onNotice: display.onNotice,
        onRecord: (_, reused) => (made += reused ? 0 : 1),
        onError: (spec, error) =>
          failures.push(`${spec.dataset}, ${spec.backbone}, ${planned.titleOf(spec)}: ${error.message}`),
      }).finally(() => display.stop());
      for (const record of records)
        if (record.failure)
          failures.push(
            `${record.dataset.name}, ${record.spec.backbone}, ${planned.titleOf(record.spec)}: ` +
              record.failure.message,
          );
      if (flags.json) printJson({ scale: name, records, failures });
      else
        printLine(
          [
            `\n${records.length} runs, ${made} of them made now, in ${duration((performance.now() - began) / 1000)}.`,
            ...(failures.length > 0 ? [`${pc.red(`${failures.length} failed`)}:`] : []),
            ...failures.map((line) => `  ${line}`),
          ].join('\n'),
        );
      if (failures.length > 0) process.exitCode = 1;
      if (flags.vary === undefined || flags.json) return;
      const { choiceTable } = await import('../../report/tables/choice-table.js');
      printLine(`\n${choiceTable(records).toText()}`);
    });
}

/** The function that makes the runs: worker processes of this machine, or a Ray cluster. */
async function maker(
  flags: SweepFlags,
): Promise<(specs: readonly RunSpec[], options: PoolOptions) => Promise<RunRecord[]>> {
  if (flags.ray === undefined) {
    const stray = Object.keys(flags).find((name) => /^ray./.test(name));
    if (stray !== undefined)
      throw new KitError(`--${stray.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} needs --ray.`, {
        code: 'SWEEP_FLAGS',
        fix: 'Add --ray URL.',
      });
    const { requireDevices, runPool } = await import('../../runs/pool/pool.js');
    const devices = flags.devices?.split(',');
    if (devices !== undefined) requireDevices(devices);
    return (specs, options) => runPool(specs, { ...options, workers: flags.workers, devices });
  }
  if (flags.workers !== undefined || flags.devices !== undefined)
    throw new KitError('--workers and --devices are for this machine. With --ray the cluster places the runs.', {
      code: 'SWEEP_FLAGS',
      fix: 'Use --ray-cpus, --ray-gpus and --ray-jobs.',
    });
  const { runOnRay } = await import('../../runs/ray/ray-pool.js');
  const {
    ray: url,
    rayCpus: cpus,
    rayGpus: gpus,
    rayMemory,
    rayJobs: jobs,
    rayKit: kit,
    rayNode: node,
    rayLeave: leave,
  } = flags;
  return (specs, options) =>
    runOnRay(specs, {
      ...options,
      url,
      cpus,
      gpus,
      memory: rayMemory === undefined ? undefined : rayMemory * 1e9,
      jobs,
      kit,
      node,
      leave,
    });
}
