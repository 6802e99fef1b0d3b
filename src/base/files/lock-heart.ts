// The heartbeat of a lock: a thread of the owner's process that touches the lock file, also while the main thread
// computes.
import fs from 'node:fs';
import { workerData } from 'node:worker_threads';

const { file, every } = workerData as { file: string; every: number };

const timer = setInterval(() => {
  const now = new Date();
  try {
    fs.utimesSync(file, now, now);
  } catch (error) {
    // Gone: given up, or taken over; the owner finds out before it writes. Anything else may pass.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') clearInterval(timer);
  }
}, every);
