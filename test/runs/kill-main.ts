// The kill test in full: `npm run kills`, by default 60 kills; a number as argument is another count.
import { killTest } from './kills';

const count = Number(process.argv[2] ?? 60);
const began = performance.now();
killTest({ count, log: (line) => console.log(line) }).then(
  (report) => console.log(JSON.stringify({ ...report, seconds: Math.round((performance.now() - began) / 1000) })),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
