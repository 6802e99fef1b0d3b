// Public entry of src/studies: grids of runs, and the time that they take.
export { plan, runAll, type Grid, type RunAllOptions } from './plan';
export { queueEstimate, type QueueEstimate } from './queueing';
