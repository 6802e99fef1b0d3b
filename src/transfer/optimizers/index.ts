// The optimizers of the kit. To add one: its file, and one line here.
export { adamw } from './adamw';
export { sgd } from './sgd';
