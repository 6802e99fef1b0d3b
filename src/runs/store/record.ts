// The record of a run: one JSON document with its spec, its numbers and everything they depend on. Its form in a file
// has a number, see docs/record-format.md.
import type { RunMetrics } from '../../metrics/metric';
import type { EvaluatedSplit, RunSpec } from '../../transfer/spec/spec';
import type { Observation } from '../../transfer/observer';
import type { LayerRow } from '../../transfer/layer-rows';
import type { EpochRow } from '../../transfer/train-state';

export type { EpochRow, LayerRow };

/** The weights that the reported accuracy is of. */
export const reportedWeights = ({ bestEpoch }: Pick<RunRecord, 'bestEpoch'>): 'last' | 'best' =>
  bestEpoch === undefined ? 'last' : 'best';

/** The software and the machine that made the numbers of a run. */
export interface RunEnvironment {
  kit: string;
  node: string;
  tfjs: string;
  tensorflow: string;
  /** `cpu` or `gpu`. */
  device: string;
  cpu: string;
  cores: number;
  /**
   * Of a run on a GPU, from nvidia-smi: its name, the driver's version, and the newest CUDA that this driver supports.
   * Absent in records of kit 0.1.
   */
  gpu?: { name: string; driver: string; cuda: string } | null;
  platform: string;
  /** Commit of the kit, and whether its tree had changes; `null` outside a repository. */
  gitCommit: string | null;
  gitDirty: boolean | null;
  /** Settings of TensorFlow in force, see `TENSORFLOW_FLAGS`. */
  flags: Record<string, string>;
}

/**
 * The form of the records that this kit writes, see docs/record-format.md. Records of format 1 are of kits before 0.2.
 */
export const RECORD_FORMAT = 2;

/**
 * What the code of a run computes, in digests of 16 hex digits. They are no part of the id: a run with the same id and
 * other digests was made by code that has changed without a new version. `null`: could not be computed.
 */
export interface CodeDigests {
  /** The kit that recorded them: its version, and in a repository its commit. Only digests of one kit are compared. */
  kit: string;
  /** Of the compiled training and evaluation step. */
  step: string | null;
  /** Of the timetable and the learning rates. */
  rates: string;
  /** Of the values of resets, where a study defines the policy. */
  reset?: string;
  /** Of crops and pixels of test images, where a study defines the augmentation. */
  augmentation?: string;
  /** Lengths of the arrays that each regularizer prepared before training. Absent: none did. */
  prepared?: Record<string, number>[];
}

/** How tables and figures show a method that a study defines. */
export interface GuestMethod {
  title: string;
  /** `#rrggbb`; `null`: the figure chooses. */
  colour: string | null;
  /** Name of the method that it is compared with; `null`: plain fine-tuning. */
  control: string | null;
  /** Settings that the method decides besides its parts. */
  decides: ('schedule' | 'optimizer' | 'augmentation')[];
}

/** A finished or failed run. The numbers of its layers are in a file of their own: `RunStore.layers`. */
export interface RunRecord {
  /** The run's name in the store: a hash of everything its numbers depend on, see `identity.ts`. */
  id: string;
  /** The form of the record: 2, or 1 if an older kit wrote it. */
  format: number;
  /** `failed`: the loss was no longer a number. The same spec would fail again, so it is not repeated. */
  status: 'finished' | 'failed';
  /** How a failed run ended: in which epoch (1-based), and the last loss that was a number. `null` when it finished. */
  failure: { epoch: number; lastLoss: number | null; message: string } | null;
  /** Name of the method in the tables, for example `rifle`; derived from the spec. */
  method: string;
  /**
   * Of a method that a study defines: tables and figures show it without loading its code. Absent for the kit's own
   * methods, and for parts of a spec that are no method by name.
   */
  guestMethod?: GuestMethod;
  /**
   * Complete. Where a data set or weights were given by path, only their names stand here: their hashes identify them.
   */
  spec: RunSpec;
  /** Versions of the code that made the numbers: of the kit, and of definitions that the spec uses. */
  numerics: Record<string, number>;
  /** Absent in records of kits before 0.2. */
  graph?: CodeDigests;
  dataset: { name: string; hash: string; classes: string[]; train: number; validation?: number; test: number };
  weights: { id: string; hash: string; parameters: number };
  /** The complete epochs. */
  epochs: EpochRow[];
  /** Which images `top1` was measured on. */
  evaluatedOn: EvaluatedSplit;
  /**
   * The number that tables report: of the last epoch, or of `bestEpoch` where there is one. NaN of a failed run (`null`
   * in JSON).
   */
  top1: number;
  /**
   * Of a run with `evaluateOn: 'both'`: the epoch (1-based) that was the best on validation images. `top1`, `metrics`
   * and the kept predictions are of the test images at this epoch.
   */
  bestEpoch?: number;
  /** More numbers of the same epoch, from the kept predictions; absent in failed runs and in records of kit 0.1. */
  metrics?: RunMetrics;
  /** What observers of studies saw during training; absent where there was none. */
  observations?: Observation[];
  /** Epochs (1-based) after which the head was re-initialised. */
  resets: number[];
  wallSeconds: number;
  /** Highest resident memory of the process, MB. */
  peakMemoryMb: number;
  /** ISO 8601, UTC. */
  startedAt: string;
  finishedAt: string;
  environment: RunEnvironment;
}
