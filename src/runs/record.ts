// What a run leaves behind: one JSON document that holds its spec, its numbers and everything they depend on.
import type { RunSpec } from '../transfer/spec';
import type { EpochRow } from '../transfer/trainer';

export type { EpochRow };

/** What the numbers of a run were made with. */
export interface RunEnvironment {
  kit: string;
  node: string;
  tfjs: string;
  tensorflow: string;
  /** `cpu` or `gpu`. */
  device: string;
  cpu: string;
  cores: number;
  platform: string;
  /** Commit of the kit, and whether its tree had changes; `null` outside a repository. */
  gitCommit: string | null;
  gitDirty: boolean | null;
  /** TF_* settings in force. */
  flags: Record<string, string>;
}

/** A finished run, as `record.json` holds it. */
export interface RunRecord {
  /** First 16 hex digits of the sha256 of spec, data hash, weights hash and `numericsVersion`: the run's name in the store. */
  id: string;
  status: 'finished';
  /** Name of the method in the tables, for example `rifle`; derived from the spec. */
  method: string;
  spec: RunSpec;
  /** Raised whenever a change of the kit changes the numbers of a run. */
  numericsVersion: number;
  dataset: { name: string; hash: string; classes: string[]; train: number; test: number };
  weights: { id: string; hash: string; parameters: number };
  epochs: EpochRow[];
  /** Of the last epoch: the number that tables report. */
  testTop1: number;
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
