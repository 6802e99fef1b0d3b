// A worker process of `runPool`: makes the runs that it is told, one after another, and stops after a checkpoint when
// it is told to.
import type { PoolMessage, PoolReply } from './pool-process';
import { carryOut } from './pool-task';

const reply = (message: PoolReply): void => void (process.connected && process.send?.(message));
let controller = new AbortController();

process.on('message', (message: PoolMessage) => {
  if ('stop' in message) return controller.abort(new Error('stopped'));
  controller = new AbortController();
  void carryOut(message, reply, controller.signal).then(reply);
});
// Ctrl-C reaches the whole group: the pool says when to stop
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit()); // whoever started it is gone
