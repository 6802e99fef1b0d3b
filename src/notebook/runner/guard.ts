// Kernels end with the process that started them, also when a signal ends it.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What is ended with the process. */
export interface Guarded {
  kill(): void;
}

const alive = new Set<Guarded>();

function killAll(): void {
  for (const each of alive) each.kill();
}

/** On a deadly signal: end the kernels, then let the signal do what it would have done. */
function onSignal(signal: NodeJS.Signals): void {
  killAll();
  for (const name of SIGNALS) process.removeListener(name, onSignal);
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

/** Ends `guarded` with this process. */
export function guard(guarded: Guarded): void {
  if (alive.size === 0) {
    process.on('exit', killAll);
    for (const name of SIGNALS) process.on(name, onSignal);
  }
  alive.add(guarded);
}

/** It has ended by itself. */
export function unguard(guarded: Guarded): void {
  if (!alive.delete(guarded) || alive.size > 0) return;
  process.removeListener('exit', killAll);
  for (const name of SIGNALS) process.removeListener(name, onSignal);
}
