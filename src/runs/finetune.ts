// One run from its spec to its record. A finished run is read from the store; an interrupted one is resumed.
import fs from 'node:fs';
import { backbones } from '../backbones/backbone';
import { RunLock, type LockOptions } from '../base/files/lock';
import { stopSignal } from '../base/notebook-host';
import { datasets } from '../data/catalog';
import { methods } from '../transfer/methods';
import type { RunSpec, RunSpecInput } from '../transfer/spec/spec';
import { refuseChanged } from './changed-data';
import { cleanUp, complete } from './clean-up';
import { codeDigestsOnce, countsOf, refuseOtherCode, usesGuests } from './code-digests';
import { executeRun, type ExecuteOptions } from './execute';
import { identifyRun, type RunIdentity } from './identify';
import type { RunRecord } from './store/record';
import { RunStore } from './store/store';

/** Options of `finetune`. */
export interface FinetuneOptions extends ExecuteOptions {
  /**
   * The store of runs, or its folder. Default `runs` in the kit's home. A finished run is reused, an interrupted one is
   * resumed.
   */
  runs?: RunStore | string;
  /**
   * If another process is executing the run: wait for its record (and resume the run if that process dies), or throw
   * RunBusyError. Default `wait`.
   */
  busy?: 'wait' | 'throw';
  /** How the run's lock is taken. */
  lock?: LockOptions;
}

/**
 * Fine-tunes according to `input` and returns the record of the run. If the store has this run, its record is reused;
 * if the run was interrupted, it is resumed from its last checkpoint. A run that diverges has a record too, with the
 * status `failed`.
 * @throws KitError for an invalid spec, data set or weights; RunBusyError; the signal's reason when stopped. A stopped
 *   run has a checkpoint: the same call resumes it.
 */
export async function finetune(input: RunSpecInput, options: FinetuneOptions = {}): Promise<RunRecord> {
  const signal = stopSignal(options.signal); // a notebook's interrupt too
  try {
    const keepWeights = options.keepWeights ?? (isFolder(input.dataset) ? 'new' : false);
    return await findOrRun(input, { ...options, keepWeights, signal });
  } catch (error) {
    signal?.throwIfAborted(); // the error of a stopped download or thread is not the reason
    throw error;
  }
}

async function findOrRun(input: RunSpecInput, options: FinetuneOptions): Promise<RunRecord> {
  const { onProgress, signal } = options;
  const store = options.runs instanceof RunStore ? options.runs : new RunStore(options.runs);
  const { id, spec, portable, dataset, weightsHash } = await identifyRun(input, {
    dataset: (name) => datasets.load(name, { onProgress, signal }),
  });
  const finished = (): RunRecord | null => finishedRun(store, id, options.keepWeights === true);
  const record = finished();
  if (record !== null) {
    await refuseFinished(record, { spec, dataset, options });
    await cleanUp(store, record, options.lock);
    return record;
  }

  store.requireRoom();
  refuseChanged(store, { id, spec: portable, dataset, from: spec.dataset });
  const title = options.title ?? titleOf(spec);
  const onWait: LockOptions['onWait'] = (owner) =>
    onProgress?.({
      task: title,
      done: 0,
      total: 1,
      unit: 'runs',
      detail: `waiting for process ${owner?.pid ?? '?'} on ${owner?.host ?? '?'}, which executes this run`,
    });
  const lock = await RunLock.take(store.folder(id), {
    signal,
    wait: options.busy !== 'throw',
    onWait,
    ...options.lock,
  });
  const journal = store.journal(id);
  try {
    const finishedMeanwhile = finished();
    if (finishedMeanwhile !== null) {
      complete(store, finishedMeanwhile); // its process may have died right after the record
      return finishedMeanwhile;
    }
    if (lock.takenFrom !== null)
      journal.write('notice', {
        text: `Process ${lock.takenFrom.pid} on ${lock.takenFrom.host} died. This process took over its lock.`,
      });
    return await executeRun({ ...options, title }, { store, lock, id, spec, portable, dataset, weightsHash });
  } catch (error) {
    if (signal?.aborted)
      journal.write('stopped', { reason: String((signal.reason as Error)?.message ?? signal.reason) });
    else journal.write('failed', { message: (error as Error).message });
    throw error;
  } finally {
    await lock.release();
  }
}

/** Refuses to reuse a record of a study's definitions whose code has changed. @throws KitError EXTENSION_CHANGED. */
async function refuseFinished(
  { id, graph }: RunRecord,
  { spec, dataset, options }: Pick<RunIdentity, 'spec' | 'dataset'> & { options: FinetuneOptions },
): Promise<void> {
  if (graph === undefined || !usesGuests(spec)) return;
  const isHere = spec.weights !== 'imagenet' || (await backbones.state(spec.backbone)) === 'ready';
  if (!isHere) return; // a finished run is reused without its weights
  const classes = dataset.classes.length;
  const now = await codeDigestsOnce({ spec, classes, ...countsOf(dataset) }, graph.prepared ?? [], () =>
    backbones.load(spec.backbone, { ...options, classes, weights: spec.weights, seed: spec.seed }),
  );
  refuseOtherCode(id, spec, graph, now);
}

/** Whether a data set is a folder of the user's, not one of the catalog. */
const isFolder = (dataset: unknown): boolean => typeof dataset === 'string' && fs.existsSync(dataset);

/** The record of the run `id` if it is finished (with `keepWeights`: and has its weights); else null. */
export function finishedRun(store: RunStore, id: string, keepWeights = false): RunRecord | null {
  const record = store.find(id);
  return record !== null && (!keepWeights || record.status === 'failed' || store.weights(id) !== null) ? record : null;
}

/** A short name of a run for bars and lists, for example `rifle seed 1`, or `rifle seed 1 fold 2/5`. */
export const titleOf = (spec: RunSpec): string =>
  `${methods.nameOf(spec)} seed ${spec.seed}${spec.fold == null ? '' : ` fold ${spec.fold.index + 1}/${spec.fold.of}`}`;
