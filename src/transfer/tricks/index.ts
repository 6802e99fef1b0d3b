// The tricks of the kit. To add one: its file, and one line here.
export { cyclicLr } from './cyclic-lr';
export { disturbLabel } from './disturb-label';
export { dropConnect } from './dropconnect';
export { dropout } from './dropout';
export { stochasticDepth } from './stochastic-depth';
