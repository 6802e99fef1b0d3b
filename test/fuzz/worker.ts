// The process that `main.ts` watches: one target, all its inputs. It writes the number of the present input to the file
// `counter`.
import fs from 'node:fs';
import { fuzz, type FuzzTargets } from './target';

const { area, name, inputs, seed, seconds, counter } = JSON.parse(process.argv[2]) as {
  area: string;
  name: string;
  inputs: number;
  seed: number;
  seconds?: number;
  counter: string;
};

process.stdin.resume().on('end', () => process.exit(1));

void (async () => {
  const { targets } = (await import(`./${area}.js`)) as { targets: FuzzTargets };
  if (!Object.hasOwn(targets, name))
    throw new Error(`There is no reader "${name}"; there are: ${Object.keys(targets).join(', ')}.`);
  const target = await targets[name]();
  const file = fs.openSync(counter, 'r+');
  const count = Buffer.alloc(4);
  const onRun = (run: number): void => {
    count.writeUInt32LE(run);
    fs.writeSync(file, count, 0, 4, 0);
  };
  try {
    onRun(await fuzz(target, { inputs, seed, seconds, onRun }));
  } finally {
    target.close?.();
  }
})().then(
  () => process.exit(0),
  (error: unknown) => {
    const { stack, cause } = error as Error;
    fs.writeSync(2, `${stack}\n${cause instanceof Error ? cause.stack : ''}\n`);
    process.exit(1);
  },
);
