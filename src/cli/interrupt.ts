// Ctrl-C: once stops cleanly before the next step, twice at once.

/** The reason of an abort that the user asked for. */
export class Stopped extends Error {
  constructor() {
    super('by Ctrl-C. Finished runs are kept; what was under way goes on from its checkpoint when asked for again.');
    this.name = 'Stopped';
  }
}

/**
 * A signal that Ctrl-C (or a polite kill) aborts. A second one ends the process with exit code 130, when the step that
 * runs is over.
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
