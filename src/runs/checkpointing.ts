// Saves a run while it is executed: checkpoints when they are due, the weights to keep, and the journal.
import fs from 'node:fs';
import { stateDictOf } from '../backbones/snapshot';
import { writeSafetensors } from '../backbones/weights/readers/safetensors';
import type { StateDict } from '../backbones/weights/readers/state-dict';
import type { Backbone } from '../backbones/backbone';
import { valuesOf } from '../transfer/compiled-steps';
import type { Observation } from '../transfer/observer';
import { timetable } from '../transfer/resets/reset';
import type { RunSpec } from '../transfer/spec/spec';
import {
  bestEpoch,
  isOver,
  type EpochRow,
  type Moment,
  type ScoredEpoch,
  type TrainOptions,
  type TrainState,
} from '../transfer/train-state';
import { Checkpoints, type Checkpoint, type RunHistory } from './store/checkpoint';
import { writePredictions, type RunPredictions } from './store/predictions';
import type { RunLock } from '../base/files/lock';
import { KIT_NUMERICS } from './store/identity';
import type { CodeDigests } from './store/record';
import type { RunStore } from './store/store';

/** How a run is saved. */
export interface CheckpointingOptions {
  /** Minutes between checkpoints within an epoch. Each epoch ends with a checkpoint too. Default 10. */
  checkpointMinutes?: number;
  /**
   * Whether the final weights, and those of the best epoch on validation images, are kept beside the record
   * (`RunStore.weights`). `true`: always, so a finished run without them is repeated, bit for bit. `'new'`: those of
   * runs that are trained now; a finished run is reused as it is. Default: `'new'` for a folder, else `false`.
   */
  keepWeights?: boolean | 'new';
  /** Called for a problem that does not stop the run: a damaged checkpoint, a full disk. */
  onNotice?: (text: string) => void;
}

/** The saved state of the run `id` of `store`, whose `lock` this process holds. */
export class Checkpointing {
  private readonly checkpoints: Checkpoints;
  private readonly began = performance.now();
  private former: RunHistory;
  private lastWritten = performance.now();
  private lastPosition = '';
  private weights: Partial<Record<'last' | 'best', Record<string, Float32Array>>> = {};
  private predictions: Partial<Record<'last' | 'best', RunPredictions>> = {};

  constructor(
    private readonly store: RunStore,
    private readonly id: string,
    private readonly spec: RunSpec,
    private readonly lock: RunLock,
    private readonly options: CheckpointingOptions,
  ) {
    this.checkpoints = new Checkpoints(store.folder(id), id, KIT_NUMERICS);
    this.former = {
      startedAt: new Date().toISOString(),
      wallSeconds: 0,
      peakMemoryMb: 0,
      keepWeights: Boolean(options.keepWeights),
    };
  }

  private isOver(rows: readonly ScoredEpoch[]): boolean {
    return isOver(this.spec, timetable(this.spec).epochs, rows);
  }

  /** The state to resume from; undefined when the run starts. */
  async resume(): Promise<TrainState | undefined> {
    const { keepWeights } = this.options;
    // After the last epoch its evaluation and the evaluated weights are gone. Without their files that epoch is
    // repeated.
    const fits = ({ state }: Checkpoint): boolean =>
      !this.isOver(state.rows) ||
      (fs.existsSync(this.store.predictionsFile(this.id)) &&
        (keepWeights !== true || this.store.weights(this.id) !== null));
    const { checkpoint, damaged } = await this.checkpoints.latest(fits);
    for (const { file, why } of damaged) {
      const then =
        checkpoint === null
          ? 'starts from the beginning: there is no other checkpoint'
          : 'resumes from the checkpoint before it';
      this.notice(`The checkpoint ${file} is damaged and was set aside (${why}). The run ${then}.`);
    }
    this.checkpoints.keepUpTo(checkpoint, damaged);
    if (checkpoint === null) return undefined;
    this.former = { ...checkpoint.history, keepWeights: checkpoint.history.keepWeights && Boolean(keepWeights) };
    return checkpoint.state;
  }

  /** The digests of the code that made the run so far; undefined when the run starts. */
  get graph(): CodeDigests | undefined {
    return this.former.graph;
  }

  set graph(graph: CodeDigests | undefined) {
    this.former = { ...this.former, graph };
  }

  /** What observers have seen so far: rows that are added to the list are in the next checkpoint. */
  get observations(): Observation[] {
    return (this.former.observations ??= []);
  }

  /** Start, time and memory of the run, over all processes that executed it so far. */
  history(): RunHistory {
    return {
      ...this.former,
      wallSeconds: this.former.wallSeconds + (performance.now() - this.began) / 1000,
      peakMemoryMb: Math.max(this.former.peakMemoryMb, process.resourceUsage().maxRSS / 1024),
    };
  }

  /** For the trainer's `observe`: reads the weights to keep before a reset changes them. */
  weightsObserver(backbone: Backbone, rowsOf: () => readonly EpochRow[]): NonNullable<TrainOptions['observe']> {
    return (moment: Moment, epoch, read) => {
      if (moment !== 'epoch' || !this.options.keepWeights) return;
      const rows = rowsOf();
      const isBest = rows.at(-1)?.evaluatedOn === 'validation' && bestEpoch(rows) === epoch;
      const isLast = this.isOver(rows);
      if (!isLast && !isBest) return;
      this.weights = { [isLast ? 'last' : 'best']: valuesOf(read(Object.keys(backbone.variables))) };
    };
  }

  /**
   * For the trainer's `onEvaluated`: holds the predictions of the last epoch, and of the best on validation. Where test
   * images are evaluated beside validation images, it holds those of the test images at the best epoch alone.
   */
  predictionsObserver(
    evaluated: Omit<RunPredictions, 'logits' | 'epoch'>,
    rowsOf: () => readonly EpochRow[],
  ): NonNullable<TrainOptions['onEvaluated']> {
    return (epoch, logits, top1, test) => {
      if (test !== undefined) this.predictions = { last: { ...evaluated, logits: test.logits, epoch } };
      if (this.spec.evaluateOn === 'both') return;
      const { evaluatedOn } = evaluated;
      const which = this.isOver([...rowsOf(), { epoch, evaluatedOn, top1 }]) ? 'last' : 'best';
      const isBest = evaluatedOn === 'validation' && !rowsOf().some((row) => row.top1 >= top1);
      if (which === 'last' || isBest) this.predictions = { [which]: { ...evaluated, logits, epoch } };
    };
  }

  /** For the trainer's `onState`: writes a checkpoint when one is due. */
  stateObserver(backbone: Backbone): NonNullable<TrainOptions['onState']> {
    const every = (this.options.checkpointMinutes ?? 10) * 60_000;
    return async (moment, state) => {
      if (moment === 'step' && performance.now() - this.lastWritten < every) return;
      this.lock.requireHeld();
      if (moment === 'epoch') await this.writeKept(backbone);
      const present = state();
      const position = `${present.epoch}-${present.step}`;
      if (position === this.lastPosition || position === '0-0') return;
      try {
        await this.checkpoints.write(present, this.history());
        this.lastPosition = position;
        this.store.journal(this.id).write('checkpoint', { epoch: present.epoch, step: present.step });
      } catch (error) {
        // The run continues: the disk may have room for the next checkpoint, or for the record.
        this.notice(`${(error as Error).message} The run continues without this checkpoint.`);
      }
      this.lastWritten = performance.now();
      if (this.isOver(present.rows)) this.lock.requireHeld();
    };
  }

  /** Weights that nobody asked for are not worth a run: when the disk refuses them, the run has none. */
  private async writeWeights(which: 'last' | 'best', weights: StateDict): Promise<void> {
    try {
      await writeSafetensors(this.store.weightsFile(this.id, which), weights);
    } catch (error) {
      if (this.options.keepWeights !== 'new') throw error;
      this.notice(`${(error as Error).message} The run continues without its weights.`);
    }
  }

  private async writeKept(backbone: Backbone): Promise<void> {
    for (const which of ['best', 'last'] as const) {
      const [values, predictions] = [this.weights[which], this.predictions[which]];
      if (values !== undefined) await this.writeWeights(which, stateDictOf(backbone, values));
      if (predictions !== undefined) await writePredictions(this.store.predictionsFile(this.id, which), predictions);
    }
    [this.weights, this.predictions] = [{}, {}];
  }

  /**
   * Call before the record is written. Deletes the files of the best epoch if that is the last one, or if an earlier
   * process did not keep weights. A failed run keeps no predictions.
   */
  removeUnwantedFiles(rows: readonly EpochRow[], status: 'finished' | 'failed'): void {
    const remove = (file: string): void => fs.rmSync(file, { force: true });
    const isLast = bestEpoch(rows) === rows.length;
    if (isLast || !this.former.keepWeights) remove(this.store.weightsFile(this.id, 'best'));
    if (isLast || status === 'failed') remove(this.store.predictionsFile(this.id, 'best'));
    if (status === 'failed') remove(this.store.predictionsFile(this.id));
  }

  notice(text: string): void {
    this.store.journal(this.id).write('notice', { text });
    this.options.onNotice?.(text);
  }

  /** Call after the record is written. */
  removeCheckpoints(): void {
    this.checkpoints.remove();
  }
}
