// Garbage collection at a moment of our choosing.
import v8 from 'node:v8';
import vm from 'node:vm';

/**
 * Collects V8's garbage now. V8 collects when JavaScript allocates, and a training loop hardly does: what loading and
 * recording left behind (up to some hundred MB) would stay beside the run to its end.
 */
export function collectGarbage(): void {
  v8.setFlagsFromString('--expose-gc');
  (vm.runInNewContext('gc') as () => void)();
}
