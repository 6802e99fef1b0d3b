// Ends kernels with the process that started them, also when it is killed by a signal.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The kernels that are ended with the process. */
export interface Guarded {
  kill(): void;
}

const alive = new Set<Guarded>();

function killAll(): void {
  for (const each of alive) each.kill();
}

/** On a signal that ends the process: ends the kernels, then sends the signal again. */
function onSignal(signal: NodeJS.Signals): void {
  killAll();
  for (const name of SIGNALS) process.removeListener(name, onSignal);
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

/** Adds a kernel that is ended with this process. */
export function guard(guarded: Guarded): void {
  if (alive.size === 0) {
    process.on('exit', killAll);
    for (const name of SIGNALS) process.on(name, onSignal);
  }
  alive.add(guarded);
}

/** Removes a kernel that has ended. */
export function unguard(guarded: Guarded): void {
  if (!alive.delete(guarded) || alive.size > 0) return;
  process.removeListener('exit', killAll);
  for (const name of SIGNALS) process.removeListener(name, onSignal);
}
