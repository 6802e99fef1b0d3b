// Loaded into a kernel before tslab (`node --require`): ends the kernel when the process that started it has gone, even killed hard.
import fs from 'node:fs';
import path from 'node:path';

const starter = process.ppid;
const connection = process.argv[process.argv.length - 1];
setInterval(() => {
  if (process.ppid === starter) return;
  fs.rmSync(path.dirname(connection), { recursive: true, force: true });
  process.kill(process.pid, 'SIGKILL');
}, 1000).unref();
