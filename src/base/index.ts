// Public entry of src/base: errors, progress reports, random streams.
export { KitError } from './errors';
export type { OnProgress, Progress } from './progress';
export { randomStream, type RandomStream } from './random';
export { RunBusyError } from './files/lock';
