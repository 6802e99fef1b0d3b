// `rifle train`: one run, from flags or a spec file.
import fs from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { KitError } from '../../base/errors';
import { kitVersion } from '../../base/home';
import { examples } from '../examples';
import { extensionOption, loadForRuns, type ExtensionFlags } from '../flags/extensions';
import { classWeights, fold } from '../flags/splits';
import { percent, printJson, printLine, printList, reportedText } from '../print';
import { duration, withProgress } from '../progress';
import type { EpochRow } from '../../runs/store/record';
import type { RunSpec } from '../../transfer/spec/spec';

interface TrainFlags extends ExtensionFlags {
  spec?: string;
  dataset?: string;
  backbone?: string;
  method?: string;
  weights?: string;
  epochs?: number;
  batchSize?: number;
  imageSize?: number;
  resizeSize?: number;
  learningRate?: number;
  headFactor?: number;
  precision?: string;
  seed?: number;
  limitPerClass?: number;
  evaluateOn?: RunSpec['evaluateOn'];
  patience?: number;
  fold?: RunSpec['fold'];
  classWeights?: RunSpec['classWeights'];
  sampling?: RunSpec['sampling'];
  runs?: string;
  keepWeights?: boolean | 'new';
  tensorboard?: string;
  mlflow?: string;
  printSpec?: boolean;
  json?: boolean;
}

/** A positive number, or with `least` 0 also zero. */
const number =
  (least: number, whole: boolean) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < least || (whole && !Number.isInteger(value))) {
      throw new InvalidArgumentError(`Expected a ${whole ? 'whole ' : ''}number of at least ${least}.`);
    }
    return value;
  };

/** The command. */
export function trainCommand(): Command {
  return new Command('train')
    .description('fine-tune once and print the record of the run')
    .option('--spec <file>', 'a RunSpec in JSON; flags beside it change single fields')
    .option('--dataset <name>', 'data set of the catalog, or a folder train/<class>/*, test/<class>/* (default: elpv)')
    .option('--backbone <id>', 'pretrained backbone (default: efficientnet_lite0.tf_in1k)')
    .option('--method <name>', 'a method of `rifle methods` (default: fine-tuning)')
    .option('--weights <file>', 'imagenet, random, or a weights file (default: imagenet)')
    .option('--epochs <n>', 'passes over the training images (default: 40)', number(1, true))
    .option('--batch-size <n>', 'images in a step (default: 32)', number(1, true))
    .option('--image-size <pixels>', "side of the crop (default: the backbone's own)", number(32, true))
    .option('--resize-size <pixels>', "short side before the crop (default: the backbone's ratio)", number(32, true))
    .option('--learning-rate <rate>', 'base learning rate (default: 0.01)', number(Number.MIN_VALUE, false))
    .option(
      '--head-factor <n>',
      "the head's learning rate as a multiple of it (default: 1)",
      number(Number.MIN_VALUE, false),
    )
    .option('--precision <name>', 'float32, bfloat16 or float16: what the network computes in (default: float32)')
    .option('--seed <n>', 'seed of all randomness (default: 0)', number(0, true))
    .option('--limit-per-class <n>', 'training images per class (default: all)', number(1, true))
    .addOption(
      new Option(
        '--evaluate-on <images>',
        'test; validation: a fifth of the training images; both: choose the epoch on validation, report its test top-1',
      ).choices(['test', 'validation', 'both']),
    )
    .option('--patience <n>', 'stop after this many epochs without a better validation top-1', number(1, true))
    .option('--fold <i/k>', 'cross-validation: fold i of k is test, for example 1/5', fold)
    .option('--class-weights <weights>', 'weights in the loss: balanced, or cat=1,dog=3 (default: none)', classWeights)
    .addOption(
      new Option(
        '--sampling <name>',
        'balanced: an epoch shows as many images of each class (default: shuffle)',
      ).choices(['shuffle', 'balanced']),
    )
    .option('--runs <dir>', 'where finished runs are kept; one that is there is not run again')
    .option('--keep-weights', 'repeat a finished run that has no weights, to keep them (new runs keep theirs)')
    .option('--no-keep-weights', 'do not keep the final weights')
    .addOption(extensionOption())
    .option('--tensorboard <dir>', 'write TensorBoard event files too')
    .option('--mlflow <url>', 'send numbers to an MLflow server too')
    .option('--print-spec', 'print the complete spec and stop')
    .option('--json', 'print the RunRecord as JSON')
    .addHelpText(
      'after',
      examples(
        'rifle train --method rifle --epochs 10 --image-size 96 --limit-per-class 50',
        'rifle train --dataset ./photos --evaluate-on both --patience 5 --class-weights balanced',
        'rifle train --method rifle --print-spec > run.json && npx rifle train --spec run.json',
        'rifle train --extension extensions/cutout.ts --method jdoe/cutout --epochs 10',
      ),
    )
    .action(async (flags: TrainFlags) => {
      const { parseRunSpec } = await import('../../transfer/spec/spec.js');
      const { methods } = await import('../../transfer/methods.js');
      await loadForRuns(flags);
      const input = specOf(flags);
      const spec = parseRunSpec(
        flags.method === undefined
          ? input
          : methods.apply(flags.method, input as unknown as Parameters<typeof methods.apply>[1]),
      );
      if (flags.printSpec) return printJson({ kit: kitVersion(), ...spec });
      const { finetune, titleOf } = await import('../../runs/finetune.js');
      let trained = false;
      const record = await withProgress(flags.json, (options) =>
        finetune(spec, {
          ...options,
          runs: flags.runs,
          keepWeights: flags.keepWeights ?? 'new',
          tracking: { tensorboard: flags.tensorboard, mlflow: flags.mlflow },
          onNotice: (text) => process.stderr.write(`${text}\n`),
          onEpoch: () => (trained = true),
        }),
      );
      if (flags.json) return printJson(record);
      printEpochs(record.epochs);
      printLine(
        `\n${titleOf(spec)} on ${record.dataset.name}: ${record.evaluatedOn} top-1 ${percent(record.top1)} ` +
          `${reportedText(record)}, ${duration(record.wallSeconds)}, run ` +
          `${record.id}${trained ? '' : ' (finished before, not run again)'}`,
      );
      if (record.epochs.length < spec.epochs && spec.patience !== null)
        printLine(`Stopped early: ${spec.patience} epochs without a better validation top-1 (\`patience\`).`);
      else if (record.epochs.length < spec.epochs)
        printLine(
          `RIFLE's \`wholePeriods\` (as its authors do): ${record.epochs.length} of ${spec.epochs} epochs were ` +
            `run, a whole number of periods.`,
        );
    });
}

function printEpochs(epochs: readonly EpochRow[]): void {
  const on = epochs[0]?.evaluatedOn ?? 'test';
  const isBoth = epochs.some(({ test }) => test !== undefined);
  printList(
    [
      ...['epoch', 'train loss', 'train top-1', `${on} loss`, `${on} top-1`],
      ...(isBoth ? ['test top-1'] : []),
      ...['learning rate', 'head reset', 'images/s'],
    ],
    epochs.map((row) => [
      row.epoch,
      row.trainLoss.toFixed(3),
      percent(row.trainTop1),
      ...(Number.isNaN(row.top1) ? ['', ''] : [row.loss.toFixed(3), percent(row.top1)]),
      ...(isBoth ? [row.test === undefined ? '' : percent(row.test.top1)] : []),
      row.learningRate.toPrecision(3),
      resetText(row.headReset, row.epoch === epochs.length),
      row.imagesPerSecond.toFixed(1),
    ]),
  );
}

/**
 * What the column on resets says; a reset after the last evaluation, which the authors' code does, changes no number of
 * the table.
 */
const resetText = (reset: boolean, last: boolean): string => (!reset ? '' : last ? 'after the end' : 'yes');

/** The spec that flags and file make together. */
function specOf(flags: TrainFlags): Record<string, unknown> {
  const given = {
    dataset: flags.dataset,
    backbone: flags.backbone,
    weights: flags.weights,
    epochs: flags.epochs,
    batchSize: flags.batchSize,
    imageSize: flags.imageSize,
    resizeSize: flags.resizeSize,
    precision: flags.precision,
    seed: flags.seed,
    evaluateOn: flags.evaluateOn,
    patience: flags.patience,
    fold: flags.fold,
    classWeights: flags.classWeights,
    sampling: flags.sampling,
  };
  const file =
    flags.spec === undefined ? { dataset: 'elpv', backbone: 'efficientnet_lite0.tf_in1k' } : readSpec(flags.spec);
  const nested = (field: string, values: Record<string, number | undefined>) => ({
    [field]: { ...(file[field] as object | undefined), ...present(values) },
  });
  return {
    ...file,
    ...present(given),
    ...nested('optimizer', { learningRate: flags.learningRate, headFactor: flags.headFactor }),
    ...nested('limits', { trainPerClass: flags.limitPerClass }),
  };
}

/** The fields that have a value. */
const present = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

function readSpec(file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new KitError(`The spec file ${file} could not be read: ${(cause as Error).message}`, {
      code: 'SPEC_FILE_UNREADABLE',
      fix: 'Make one with `npx rifle train --print-spec > run.json`.',
      cause,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new KitError(`Expected a JSON object in the spec file ${file}.`, {
      code: 'SPEC_FILE_FORM',
      fix: 'Make one with `npx rifle train --print-spec > run.json`.',
    });
  return value as Record<string, unknown>;
}
