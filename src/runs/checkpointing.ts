// Keeps a run while it is made: when a checkpoint is due, which weights stay, and what the journal says of it.
import fs from 'node:fs';
import { stateDictOf } from '../backbones/snapshot';
import { writeSafetensors } from '../backbones/weights/readers/safetensors';
import type { Backbone } from '../backbones/backbone';
import { valuesOf, type EpochRow, type Moment, type TrainOptions, type TrainState } from '../transfer/trainer';
import { Checkpoints, type Checkpoint, type RunHistory } from './store/checkpoint';
import { writePredictions, type RunPredictions } from './store/predictions';
import type { RunLock } from '../base/files/lock';
import { NUMERICS_VERSION, type RunStore } from './store/store';

/** How a run is kept. */
export interface KeeperOptions {
  /** Minutes after which a checkpoint is due within an epoch; each epoch ends with one anyway. Default 10. */
  checkpointMinutes?: number;
  keepWeights?: boolean;
  /** Told what went wrong without stopping the run: a damaged checkpoint, a full disk. */
  onNotice?: (text: string) => void;
}

/** The run `id` of `store`, whose `lock` this process holds, from its last checkpoint to its record. */
export class Keeper {
  private readonly checkpoints: Checkpoints;
  private readonly began = performance.now();
  private history: RunHistory;
  private last = performance.now();
  private lastPlace = '';
  private kept: Partial<Record<'last' | 'best', Record<string, Float32Array>>> = {};
  private predictions: Partial<Record<'last' | 'best', RunPredictions>> = {};

  constructor(
    private readonly store: RunStore,
    private readonly id: string,
    private readonly lock: RunLock,
    private readonly options: KeeperOptions,
  ) {
    this.checkpoints = new Checkpoints(store.folder(id), id, NUMERICS_VERSION);
    this.history = {
      startedAt: new Date().toISOString(),
      wallSeconds: 0,
      peakMemoryMb: 0,
      keepWeights: options.keepWeights ?? false,
    };
  }

  /** The state to go on from; undefined for a run that begins. `epochs`: of the whole run. */
  async resume(epochs: number): Promise<TrainState | undefined> {
    const { keepWeights } = this.options;
    // After the last epoch its evaluation and the evaluated weights are gone. Without their files that epoch is
    // repeated.
    const fits = ({ state }: Checkpoint): boolean =>
      state.epoch < epochs ||
      (fs.existsSync(this.store.predictionsFile(this.id)) && (!keepWeights || this.store.weights(this.id) !== null));
    const { checkpoint, damaged } = await this.checkpoints.latest(fits);
    for (const { file, why } of damaged) {
      const instead = checkpoint === null ? 'There is no other: the run starts again' : 'The one before it is used';
      this.notice(`The checkpoint ${file} is damaged and was set aside (${why}). ${instead}.`);
    }
    this.checkpoints.keepUpTo(checkpoint, damaged);
    if (checkpoint === null) return undefined;
    this.history = { ...checkpoint.history, keepWeights: checkpoint.history.keepWeights && (keepWeights ?? false) };
    return checkpoint.state;
  }

  /** What this process and those before it took. */
  soFar(): RunHistory {
    return {
      ...this.history,
      wallSeconds: this.history.wallSeconds + (performance.now() - this.began) / 1000,
      peakMemoryMb: Math.max(this.history.peakMemoryMb, process.resourceUsage().maxRSS / 1024),
    };
  }

  /** To be called by the trainer: reads the weights worth keeping, before a reset changes them. */
  observer(
    backbone: Backbone,
    epochs: number,
    rowsOf: () => readonly EpochRow[],
  ): NonNullable<TrainOptions['observe']> {
    return (moment: Moment, epoch, read) => {
      if (moment !== 'epoch' || !this.options.keepWeights) return;
      const rows = rowsOf();
      const isBest = rows.at(-1)?.evaluatedOn === 'validation' && bestEpoch(rows) === epoch;
      if (epoch < epochs && !isBest) return;
      this.kept = { [epoch === epochs ? 'last' : 'best']: valuesOf(read(Object.keys(backbone.variables))) };
    };
  }

  /** Called by the trainer: holds the predictions of the last epoch, and of the best on validation. */
  predictionsObserver(
    evaluated: Omit<RunPredictions, 'logits' | 'epoch'>,
    epochs: number,
    rowsOf: () => readonly EpochRow[],
  ): NonNullable<TrainOptions['onEvaluated']> {
    return (epoch, logits, top1) => {
      const which = epoch === epochs ? 'last' : 'best';
      const isBest = evaluated.evaluatedOn === 'validation' && rowsOf().every((row) => row.top1 < top1);
      if (which === 'last' || isBest) this.predictions = { [which]: { ...evaluated, logits, epoch } };
    };
  }

  /** To be called by the trainer: writes a checkpoint when one is due. */
  stateKeeper(backbone: Backbone, epochs: number): NonNullable<TrainOptions['onState']> {
    const every = (this.options.checkpointMinutes ?? 10) * 60_000;
    return async (moment, state) => {
      if (moment === 'step' && performance.now() - this.last < every) return;
      this.lock.requireHeld();
      if (moment === 'epoch') await this.writeKept(backbone);
      const present = state();
      const place = `${present.epoch}-${present.step}`;
      if (place === this.lastPlace || place === '0-0') return;
      try {
        await this.checkpoints.write(present, this.soFar());
        this.lastPlace = place;
        this.store.journal(this.id).write('checkpoint', { epoch: present.epoch, step: present.step });
      } catch (error) {
        // There may be room for the next one, or for the record.
        this.notice(`${(error as Error).message} The run continues without it.`);
      }
      this.last = performance.now();
      if (present.epoch === epochs) this.lock.requireHeld();
    };
  }

  private async writeKept(backbone: Backbone): Promise<void> {
    for (const which of ['best', 'last'] as const) {
      const [values, predictions] = [this.kept[which], this.predictions[which]];
      if (values !== undefined)
        await writeSafetensors(this.store.weightsFile(this.id, which), stateDictOf(backbone, values));
      if (predictions !== undefined) await writePredictions(this.store.predictionsFile(this.id, which), predictions);
    }
    [this.kept, this.predictions] = [{}, {}];
  }

  /**
   * Called before the record is written: the files of the best epoch stay only where that is not the last one. A failed
   * run keeps no predictions.
   */
  settle(rows: readonly EpochRow[], status: 'finished' | 'failed'): void {
    const remove = (file: string): void => fs.rmSync(file, { force: true });
    const isLast = bestEpoch(rows) === rows.length;
    if (isLast || !this.history.keepWeights) remove(this.store.weightsFile(this.id, 'best'));
    if (isLast || status === 'failed') remove(this.store.predictionsFile(this.id, 'best'));
    if (status === 'failed') remove(this.store.predictionsFile(this.id));
  }

  notice(text: string): void {
    this.store.journal(this.id).write('notice', { text });
    this.options.onNotice?.(text);
  }

  /** To be called when the record is written. */
  done(): void {
    this.checkpoints.remove();
  }
}

/**
 * The first epoch (1-based) of the highest validation top-1. Where runs are evaluated on test images it is the last
 * epoch: nothing is ever chosen on test. 0 of no epochs.
 */
export function bestEpoch(rows: readonly EpochRow[]): number {
  if (rows.at(-1)?.evaluatedOn === 'test') return rows.length;
  return rows.reduce((best, row) => (best === 0 || row.top1 > rows[best - 1].top1 ? row.epoch : best), 0);
}
