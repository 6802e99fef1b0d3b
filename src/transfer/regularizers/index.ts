// The regularizers of the kit. To add one: its file, and one line here.
export { bss } from './bss';
export { delta } from './delta';
export { l2 } from './l2';
export { l2sp } from './l2-sp';
