// Where the numbers of a run may go besides its record: sinks that are told of epochs, and that can neither change a
// run nor stop it.
import type { EpochRow, RunRecord } from '../store/record';
import type { Sink, TrackedRun } from './tracking-sink';

/** Where numbers go besides the record. */
export interface TrackingOptions {
  /** Folder for TensorBoard event files; each run gets a folder in it. Default: none are written. */
  tensorboard?: string;
  /** Address of an MLflow server, for example `http://127.0.0.1:5000`. Default: none is told. */
  mlflow?: string;
}

/** Milliseconds that the end of a run waits for a sink. */
const PATIENCE = 15_000;

/**
 * The sinks of one run. One that writes a file does so at once; one that asks a server is told in order and not waited
 * for until the run ends.
 * One that fails is told nothing more, and that is said once.
 */
export class Tracking {
  private readonly lines: { sink: Sink; pending: Promise<void> | null; failed: boolean }[] = [];

  /** @param warn told once of each sink that fails. */
  static async begin(
    options: TrackingOptions | undefined,
    run: TrackedRun,
    before: readonly EpochRow[],
    warn: (text: string) => void,
  ): Promise<Tracking> {
    const tracking = new Tracking(warn);
    // Loaded only when they are asked for: neither belongs to what a run needs.
    if (options?.tensorboard)
      tracking.add(new (await import('./tracking-tensorboard.js')).TensorBoardSink(options.tensorboard));
    if (options?.mlflow) tracking.add(new (await import('./tracking-mlflow.js')).MlflowSink(options.mlflow));
    tracking.tell((sink) => sink.begin(run, before));
    return tracking;
  }

  private constructor(private readonly warn: (text: string) => void) {}

  private add(sink: Sink): void {
    this.lines.push({ sink, pending: null, failed: false });
  }

  private tell(what: (sink: Sink) => Promise<void> | void): void {
    for (const line of this.lines) {
      const now = (): Promise<void> | void => {
        if (line.failed) return;
        try {
          return what(line.sink)?.catch((error: Error) => this.fail(line, error.message));
        } catch (error) {
          this.fail(line, (error as Error).message);
        }
      };
      line.pending = line.pending === null ? (now() ?? null) : line.pending.then(now);
    }
  }

  private fail(line: Tracking['lines'][number], why: string): void {
    if (line.failed) return;
    line.failed = true;
    this.warn(`${line.sink.name} is told nothing more of this run: ${why.split('\n')[0]}`);
  }

  /** An epoch is over. */
  epoch(row: EpochRow): void {
    this.tell((sink) => sink.epoch(row));
  }

  /** The run is over, or stopped; waits for the sinks, but not for long. */
  async end(how: RunRecord['status'] | 'stopped'): Promise<void> {
    this.tell((sink) => sink.end(how));
    await Promise.all(
      this.lines.map(async (line) => {
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), PATIENCE)));
        if ((await Promise.race([line.pending, late])) === 'late')
          this.fail(line, `it did not answer within ${PATIENCE / 1000} s`);
        clearTimeout(timer);
      }),
    );
  }
}
