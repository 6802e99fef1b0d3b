// A sweep on so many devices, on paper: runs wait in one line, and each device takes the next when it is free.

/** What a sweep on `devices` devices comes to. Times in seconds. */
export interface QueueEstimate {
  devices: number;
  /** From the first submission to the last record. */
  makespan: number;
  /** Of the devices' time, how much is spent on runs, in [0, 1]: what is left is idling at the end. */
  busy: number;
  /** How long a run waits for its device, on average and at most. */
  meanWait: number;
  longestWait: number;
  /** No order of the runs can be faster: all work divided by the devices, or the longest run. */
  bound: number;
}

/**
 * List scheduling (R. L. Graham, Bounds for certain multiprocessing anomalies, 1966): all runs are there at the
 * beginning, in their order; a
 * device that is free takes the next; each run has one device to itself, and all devices are alike. No run is lost. Its
 * makespan is at most
 * 2 − 1/devices times the shortest possible.
 * @param seconds of each run; those of 0 are there already and take no part.
 * @param startSeconds added to each run: what a job takes to start.
 */
export function queueEstimate(seconds: readonly number[], devices: number, startSeconds = 0): QueueEstimate {
  const runs = seconds.filter((each) => each > 0).map((each) => each + startSeconds);
  const free = Array<number>(devices).fill(0);
  const waits = runs.map((each) => {
    const next = free.indexOf(Math.min(...free));
    const wait = free[next];
    free[next] += each;
    return wait;
  });
  const work = runs.reduce((sum, each) => sum + each, 0);
  const makespan = Math.max(...free);
  return {
    devices,
    makespan,
    busy: makespan === 0 ? 1 : work / (makespan * devices),
    meanWait: runs.length === 0 ? 0 : waits.reduce((sum, each) => sum + each, 0) / runs.length,
    longestWait: Math.max(0, ...waits),
    bound: Math.max(work / devices, 0, ...runs),
  };
}
