// TensorBoard event files of a run, through the summary writer of tfjs-node's backend.
import fs from 'node:fs';
import path from 'node:path';
import { backend } from '../../engine/binding';
import { tf, type TF } from '../../engine/tensorflow';
import type { EpochRow } from '../store/record';
import { quantities, type Sink, type TrackedRun } from './tracking-sink';

/**
 * Writes `<folder>/<method>-seed-<seed>-<id>/events.out.tfevents.*`, flushed after every epoch. A resumed run has one
 * more file there; TensorBoard reads them as one.
 * `tf.node.summaryFileWriter` writes the same files, but never closes them: here the file is closed and its tensors are
 * disposed.
 */
export class TensorBoardSink implements Sink {
  readonly name = 'TensorBoard';
  private writer: TF.Tensor | null = null;

  constructor(private readonly folder: string) {}

  begin(run: TrackedRun, before: readonly EpochRow[]): void {
    const folder = path.resolve(this.folder, `${run.method.replace(/[^\w.+-]/g, '-')}-seed-${run.spec.seed}-${run.id}`);
    fs.mkdirSync(folder, { recursive: true });
    const isNew = fs.readdirSync(folder).length === 0;
    this.writer = tf.tidy(() => {
      const writer = backend().summaryWriter(folder);
      backend().createSummaryFileWriter(writer, folder);
      return writer;
    });
    if (isNew) for (const row of before) this.write(row);
  }

  epoch(row: EpochRow): void {
    this.write(row);
  }

  private write(row: EpochRow): void {
    for (const [name, value] of Object.entries(quantities(row)))
      backend().writeScalarSummary(this.writer!, row.epoch, name, value);
    backend().flushSummaryWriter(this.writer!);
  }

  end(): void {
    backend().executeMultipleOutputs('CloseSummaryWriter', [], [this.writer!], 0);
    this.writer!.dispose();
  }
}
