// Ctrl-C: once stops before the next step, twice ends the process.

/** The reason of an abort that the user asked for. */
export class Stopped extends Error {
  constructor() {
    super('by Ctrl-C. Finished runs are kept. The run in progress has a checkpoint: the same command resumes it.');
    this.name = 'Stopped';
  }
}

/**
 * A signal that Ctrl-C (or SIGTERM) aborts. A second one ends the process with exit code 130, after the step in
 * progress.
 */
export function interruptible(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort(new Stopped());
    });
  }
  return controller.signal;
}
