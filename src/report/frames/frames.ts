// Run records as danfo DataFrames: one row a run, or one row a run and epoch.
import type { DataFrame } from 'danfojs-node';
import { metrics } from '../../metrics/metric';
import type { RunRecord } from '../../runs/store/record';
import { finalTrainTop1 } from '../comparison/grouping';

/** Notebooks name the type of a frame through the kit: it must be one of its exports. */
export type { DataFrame };

type Value = string | number | boolean;
/** The kind of a column. */
export type Kind = 'string' | 'int32' | 'float32' | 'boolean';

/** danfo takes seconds to load, with TensorFlow: it loads with the first frame, after the kit's own engine. */
function danfo(): typeof import('danfojs-node') {
  require('../../engine/tensorflow');
  return require('danfojs-node') as typeof import('danfojs-node');
}

/**
 * A frame of `rows`. The kinds of columns are given: danfo would guess from the first values, and take 0 and 1 for
 * integers.
 */
export function frameOf<C extends string>(kinds: Record<C, Kind>, rows: readonly Record<C, Value>[]): DataFrame {
  const columns = Object.keys(kinds) as C[];
  const { DataFrame: Frame } = danfo();
  return new Frame(
    rows.map((row) => columns.map((column) => row[column])),
    { columns, dtypes: rows.length > 0 ? columns.map((column) => kinds[column]) : undefined },
  );
}

/** Column names are the contract of notebooks: they match `RunSpec`, `RunRecord` and `EpochRow`. */
const RUN_KINDS = {
  run: 'string',
  dataset: 'string',
  backbone: 'string',
  method: 'string',
  seed: 'int32',
  epochs: 'int32',
  batchSize: 'int32',
  learningRate: 'float32',
  trainImages: 'int32',
  testImages: 'int32',
  top1: 'float32',
  trainTop1: 'float32',
  evaluatedOn: 'string',
  loss: 'float32',
  trainLoss: 'float32',
  resets: 'string',
  wallSeconds: 'float32',
  imagesPerSecond: 'float32',
  peakMemoryMb: 'float32',
  device: 'string',
} as const satisfies Record<string, Kind>;

const EPOCH_KINDS = {
  run: 'string',
  dataset: 'string',
  backbone: 'string',
  method: 'string',
  seed: 'int32',
  epoch: 'int32',
  trainLoss: 'float32',
  trainCrossEntropy: 'float32',
  trainTop1: 'float32',
  evaluatedOn: 'string',
  loss: 'float32',
  top1: 'float32',
  learningRate: 'float32',
  headLearningRate: 'float32',
  headReset: 'boolean',
  trainSeconds: 'float32',
  evaluateSeconds: 'float32',
  dataWaitSeconds: 'float32',
  imagesPerSecond: 'float32',
} as const satisfies Record<string, Kind>;

/**
 * One row a run, in the order of `records`: its id, settings, the last epoch's numbers (fractions in [0, 1], losses in
 * nats), the epochs after which the head was reset (`'6, 12'`, empty for none), seconds, mean training images per
 * second, MB. Numbers of a run that failed in its first epoch are NaN. Each metric of a study has a column of its name.
 */
export function runsFrame(records: readonly RunRecord[]): DataFrame {
  const own = metrics
    .names()
    .filter((name) => !metrics.isBuiltIn(name) && records.some((run) => run.metrics?.[name] != null));
  const rows = records.map((record) => {
    const last = record.epochs.at(-1); // none when the first epoch failed
    return {
      run: record.id,
      dataset: record.dataset.name,
      backbone: record.spec.backbone,
      method: record.method,
      seed: record.spec.seed,
      epochs: record.epochs.length,
      batchSize: record.spec.batchSize,
      learningRate: record.spec.optimizer.learningRate,
      trainImages: record.dataset.train,
      testImages: record.dataset.test,
      top1: record.top1,
      trainTop1: finalTrainTop1(record),
      evaluatedOn: record.evaluatedOn,
      loss: last?.loss ?? NaN,
      trainLoss: last?.trainLoss ?? NaN,
      resets: record.resets.join(', '),
      wallSeconds: record.wallSeconds,
      imagesPerSecond: record.epochs.reduce((sum, epoch) => sum + epoch.imagesPerSecond, 0) / record.epochs.length,
      peakMemoryMb: record.peakMemoryMb,
      device: record.environment.device,
      ...Object.fromEntries(own.map((name) => [name, record.metrics?.[name] ?? NaN])),
    };
  });
  const kinds: Record<string, Kind> = { ...RUN_KINDS, ...Object.fromEntries(own.map((name) => [name, 'float32'])) };
  return frameOf(kinds, rows);
}

/** One row a run and epoch, in the order of `records`: what a run is, and the fields of `EpochRow` but `test`. */
export function epochsFrame(records: readonly RunRecord[]): DataFrame {
  const rows = records.flatMap(({ id, dataset, spec, method, epochs }) =>
    epochs.map(({ test: _test, ...epoch }) => ({
      run: id,
      dataset: dataset.name,
      backbone: spec.backbone,
      method,
      seed: spec.seed,
      ...epoch,
    })),
  );
  return frameOf(EPOCH_KINDS, rows);
}
