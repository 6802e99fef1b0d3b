// The kill test in full: `npm run kills`, by default 60 kills; a number as argument is another count, a second the seed
// that the moments come from.
import { killTest } from './kills';

const [count, seed] = [Number(process.argv[2] ?? 60), Number(process.argv[3] ?? 0)];
const began = performance.now();
killTest({ count, seed, log: (line) => console.log(line) }).then(
  (report) => console.log(JSON.stringify({ ...report, seed, seconds: Math.round((performance.now() - began) / 1000) })),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
