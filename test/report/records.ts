// Synthetic run records for the tests of tables, figures and reports: every number a plain function of its arguments.
import { withoutOlderFields } from '../../src/transfer/spec/older-spec';
import { createHash } from 'node:crypto';
import type { EpochRow, RunRecord } from '../../src/runs/store/record';
import { methods } from '../../src/transfer/methods';
import { parseRunSpec, type RunSpecInput } from '../../src/transfer/spec/spec';

/** What a synthetic run is to show. */
export interface SyntheticRun {
  method?: string;
  seed?: number;
  /** Fraction of test images right in the last epoch. */
  top1?: number;
  trainTop1?: number;
  epochs?: number;
  dataset?: string;
  backbone?: string;
  spec?: Partial<RunSpecInput>;
  /** Number of test images. */
  test?: number;
}

/** A record as a run of that method would leave it: accuracy rises to its last value, and falls after each reset. */
export function syntheticRecord(run: SyntheticRun = {}): RunRecord {
  const {
    method = 'fine-tuning',
    seed = 0,
    top1 = 0.8,
    trainTop1 = 0.99,
    epochs = 8,
    dataset = 'elpv',
    backbone = 'efficientnet_lite0.tf_in1k',
    test = 200,
  } = run;
  const spec = parseRunSpec({
    ...methods.apply(method, { dataset, backbone, epochs, seed }),
    ...(withoutOlderFields({ ...run.spec }) as object),
  });
  const resets = spec.reset ? [Math.floor(epochs / 2), epochs] : [];
  const rows = Array.from({ length: epochs }, (_, i): EpochRow => {
    const epoch = i + 1;
    const sinceReset = epoch - Math.max(0, ...resets.filter((reset) => reset < epoch));
    const rise = epoch === epochs ? 1 : (1 - Math.exp(-sinceReset / 1.5)) * (0.75 + (0.2 * epoch) / epochs);
    return {
      epoch,
      trainLoss: 2 * (1 - rise * trainTop1) + 0.02,
      trainCrossEntropy: 2 * (1 - rise * trainTop1),
      trainTop1: rise * trainTop1,
      evaluatedOn: spec.evaluateOn === 'test' ? 'test' : 'validation',
      loss: 2 * (1 - rise * top1),
      top1: rise * top1,
      learningRate: 0.005 * (1 + Math.cos((Math.PI * i) / epochs)),
      headLearningRate: 0.005 * (1 + Math.cos((Math.PI * i) / epochs)),
      headReset: resets.includes(epoch),
      trainSeconds: 10,
      evaluateSeconds: 2,
      dataWaitSeconds: 0.25,
      imagesPerSecond: 32,
    };
  });
  return {
    id: createHash('sha256')
      .update(JSON.stringify([spec, dataset]))
      .digest('hex')
      .slice(0, 16),
    status: 'finished',
    failure: null,
    method: methods.nameOf(spec),
    spec,
    format: 2,
    numerics: { kit: 1 },
    dataset: {
      name: dataset,
      hash: 'd'.repeat(64),
      classes: ['mono functional', 'mono defective', 'poly functional', 'poly defective'],
      train: 320,
      test,
    },
    weights: { id: backbone, hash: 'e'.repeat(64), parameters: 4652008 },
    epochs: rows,
    evaluatedOn: spec.evaluateOn === 'validation' ? 'validation' : 'test',
    top1: rows[epochs - 1].top1,
    resets,
    wallSeconds: 96 + seed,
    peakMemoryMb: 900,
    startedAt: `2026-01-0${seed + 1}T10:00:00.000Z`,
    finishedAt: `2026-01-0${seed + 1}T10:01:36.000Z`,
    environment: {
      kit: '0.1.0',
      node: 'v20.20.2',
      tfjs: '4.22.0',
      tensorflow: '2.21.0',
      device: 'cpu',
      cpu: 'A processor',
      cores: 2,
      platform: 'linux x64',
      gitCommit: 'a'.repeat(40),
      gitDirty: false,
      flags: { TF_DETERMINISTIC_OPS: '1' },
    },
  };
}

/** Fine-tuning and RIFLE over seeds: `values[method]` are the last-epoch accuracies of seeds 0, 1, ... */
export function syntheticStudy(values: Record<string, readonly number[]>, run: SyntheticRun = {}): RunRecord[] {
  return Object.entries(values).flatMap(([method, accuracies]) =>
    accuracies.map((top1, seed) => syntheticRecord({ ...run, method, seed, top1 })),
  );
}

/** The record as it would be had its loss ceased to be a number in `epoch` (1-based). */
export function failed(record: RunRecord, epoch = 3, lastLoss: number | null = 4.5): RunRecord {
  const epochs = record.epochs.slice(0, epoch - 1);
  return {
    ...record,
    status: 'failed',
    failure: { epoch, lastLoss, message: 'The loss was not a number.' },
    epochs,
    top1: NaN,
  };
}
