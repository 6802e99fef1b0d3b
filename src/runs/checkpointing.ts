// Keeps a run while it is made: when a checkpoint is due, which weights stay, and what the journal says of it.
import fs from 'node:fs';
import { stateDictOf } from '../backbones/snapshot';
import { writeSafetensors } from '../backbones/weights/readers/safetensors';
import type { Backbone } from '../backbones/backbone';
import { valuesOf, type EpochRow, type Moment, type TrainOptions, type TrainState } from '../transfer/trainer';
import { Checkpoints, type Checkpoint, type RunHistory } from './store/checkpoint';
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
    // After the last epoch's reset the weights that were evaluated are gone: they must lie there already, or that epoch
    // is made again.
    const fits = ({ state }: Checkpoint): boolean =>
      !keepWeights || state.epoch < epochs || this.store.weights(this.id) !== null;
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
      const isBest = bestEpoch(rowsOf()) === epoch;
      if (epoch < epochs && !isBest) return;
      this.kept = { [epoch === epochs ? 'last' : 'best']: valuesOf(read(Object.keys(backbone.variables))) };
    };
  }

  /** To be called by the trainer: writes a checkpoint when one is due. */
  stateKeeper(backbone: Backbone, epochs: number): NonNullable<TrainOptions['onState']> {
    const every = (this.options.checkpointMinutes ?? 10) * 60_000;
    return async (moment, state) => {
      if (moment === 'step' && performance.now() - this.last < every) return;
      this.lock.requireHeld();
      if (moment === 'epoch') await this.writeWeights(backbone);
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

  private async writeWeights(backbone: Backbone): Promise<void> {
    for (const which of ['best', 'last'] as const) {
      const values = this.kept[which];
      if (values === undefined) continue;
      await writeSafetensors(this.store.weightsFile(this.id, which), stateDictOf(backbone, values));
    }
    this.kept = {};
  }

  /**
   * To be called before the record is written: best weights stay only where they are of the best epoch, and that is not
   * the last.
   */
  settleWeights(rows: readonly EpochRow[]): void {
    const isLast = bestEpoch(rows) === rows.length;
    if (isLast || !this.history.keepWeights) fs.rmSync(this.store.weightsFile(this.id, 'best'), { force: true });
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

/** The first epoch (1-based) of the highest test top-1; 0 of none. */
export function bestEpoch(rows: readonly EpochRow[]): number {
  return rows.reduce((best, row) => (best === 0 || row.top1 > rows[best - 1].top1 ? row.epoch : best), 0);
}
