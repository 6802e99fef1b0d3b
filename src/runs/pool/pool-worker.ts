// The program of a worker process of `runPool`: makes the runs that it receives, one after another, and stops after a
// checkpoint on request.
import type { PoolMessage, PoolReply } from './messages';
import { executeTask } from './pool-task';

const reply = (message: PoolReply): void => void (process.connected && process.send?.(message));
let controller = new AbortController();

process.on('message', (message: PoolMessage) => {
  if ('stop' in message) return controller.abort(new Error('stopped'));
  controller = new AbortController();
  void executeTask(message, reply, controller.signal).then(reply);
});
// Ctrl-C reaches the whole process group: the pool sends the stop
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit()); // the process that started it is gone
