// Standard input of cells: a read of `process.stdin` is a question to the person at the notebook.
import fs from 'node:fs';
import { Readable } from 'node:stream';

/** Milliseconds between a read and its question: after a line, a reader may have enough. */
const PAUSE = 50;

/** `process.stdin` of cells. */
export class CellInput {
  private stream: Readable | null = null;

  /**
   * @param ask asks for a line.
   * @param onError called when there is no answer.
   */
  constructor(
    private readonly ask: () => Promise<string>,
    private readonly onError: (error: unknown) => void,
  ) {
    const get = (): Readable => (this.stream ??= this.makeStream());
    Object.defineProperty(process, 'stdin', { configurable: true, enumerable: true, get });
  }

  /** The cell has ended: its input ends with it, so that no later cell waits for a question of an earlier one. */
  endCell(): void {
    const { stream } = this;
    this.stream = null;
    stream?.push(null);
  }

  private makeStream(): Readable {
    const stream: Readable = new Readable({ read: () => void setTimeout(() => void this.read(stream), PAUSE) });
    return stream;
  }

  private async read(stream: Readable): Promise<void> {
    // A reader that has paused wants no line now; one that listens to 'readable' is never in flow.
    if (stream.isPaused() && stream.listenerCount('readable') === 0)
      await new Promise((resolve) => stream.once('resume', resolve));
    if (stream !== this.stream) return;
    try {
      const line = await this.ask();
      if (stream === this.stream) stream.push(`${line}\n`);
    } catch (error) {
      this.onError(error);
    }
  }
}

/** Gives descriptor 0 a file without content. To be called before another thread may open a file. */
export function emptyStdin(): void {
  try {
    fs.closeSync(0);
  } catch {
    // it was closed already
  }
  fs.openSync('/dev/null', 'r'); // gets the lowest free number, 0
}
