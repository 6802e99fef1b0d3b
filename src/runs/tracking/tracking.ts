// Sends the numbers of a run to sinks besides its record. A sink can neither change a run nor stop it.
import { withPublicAddresses } from '../../base/address';
import type { EpochRow, RunRecord } from '../store/record';
import type { Sink, TrackedRun } from './tracking-sink';

/** Where numbers go besides the record. */
export interface TrackingOptions {
  /** Folder for TensorBoard event files; each run gets a folder in it. Default: none are written. */
  tensorboard?: string;
  /** Address of an MLflow server, for example `http://127.0.0.1:5000`. Default: none. */
  mlflow?: string;
}

/** Milliseconds that the end of a run waits for a sink. */
const PATIENCE = 15_000;

/**
 * The sinks of one run. A sink that writes a file does so at once. A sink that asks a server receives its calls in
 * order, and the run does not wait for it before its end. A sink that fails receives no more calls, and one warning
 * says so.
 */
export class Tracking {
  private readonly feeds: { sink: Sink; pending: Promise<void> | null; failed: boolean }[] = [];

  /** @param warn receives one sentence about each sink that fails. */
  static async begin(
    options: TrackingOptions | undefined,
    run: TrackedRun,
    before: readonly EpochRow[],
    warn: (text: string) => void,
  ): Promise<Tracking> {
    const tracking = new Tracking(warn);
    // Loaded only when they are used.
    if (options?.tensorboard)
      tracking.add(new (await import('./tracking-tensorboard.js')).TensorBoardSink(options.tensorboard));
    if (options?.mlflow) tracking.add(new (await import('./tracking-mlflow.js')).MlflowSink(options.mlflow));
    tracking.forEach((sink) => sink.begin(run, before));
    return tracking;
  }

  private constructor(private readonly warn: (text: string) => void) {}

  private add(sink: Sink): void {
    this.feeds.push({ sink, pending: null, failed: false });
  }

  private forEach(call: (sink: Sink) => Promise<void> | void): void {
    for (const feed of this.feeds) {
      const now = (): Promise<void> | void => {
        if (feed.failed) return;
        try {
          return call(feed.sink)?.catch((error: Error) => this.fail(feed, error.message));
        } catch (error) {
          this.fail(feed, (error as Error).message);
        }
      };
      feed.pending = feed.pending === null ? (now() ?? null) : feed.pending.then(now);
    }
  }

  private fail(feed: Tracking['feeds'][number], why: string): void {
    if (feed.failed) return;
    feed.failed = true;
    const reason = withPublicAddresses(why.split('\n')[0].slice(0, 500));
    this.warn(`${feed.sink.name} receives no more numbers of this run: ${reason}`);
  }

  /** Sends an epoch. */
  epoch(row: EpochRow): void {
    this.forEach((sink) => sink.epoch(row));
  }

  /** Ends the sinks; waits for each of them at most 15 s. */
  async end(how: RunRecord['status'] | 'stopped'): Promise<void> {
    this.forEach((sink) => sink.end(how));
    await Promise.all(
      this.feeds.map(async (feed) => {
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), PATIENCE)));
        if ((await Promise.race([feed.pending, late])) === 'late')
          this.fail(feed, `it did not answer within ${PATIENCE / 1000} s`);
        clearTimeout(timer);
      }),
    );
  }
}
