// The thread that `main.ts` watches: one target, all its inputs.
import { parentPort, workerData } from 'node:worker_threads';
import { fuzz, type FuzzTarget } from './target';

const { area, name, inputs, seed, seconds, counter } = workerData as {
  area: string;
  name: string;
  inputs: number;
  seed: number;
  seconds?: number;
  counter: Int32Array;
};

void (async () => {
  const { targets } = (await import(`./${area}.js`)) as {
    targets: Record<string, () => FuzzTarget | Promise<FuzzTarget>>;
  };
  if (!Object.hasOwn(targets, name))
    throw new Error(`There is no reader "${name}"; there are: ${Object.keys(targets).join(', ')}.`);
  const target = await targets[name]();
  try {
    const ran = await fuzz(target, { inputs, seed, seconds, onRun: (run) => Atomics.store(counter, 0, run) });
    Atomics.store(counter, 0, ran);
  } finally {
    target.close?.();
  }
})().then(
  () => parentPort!.postMessage(null),
  (error: unknown) => parentPort!.postMessage((error as Error).message),
);
