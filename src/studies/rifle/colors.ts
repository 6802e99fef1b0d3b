// The colours of the methods in figures. Methods that stand in one figure differ in colour.

/** By name. A method without one takes a colour from its name, and `X+rifle` a darker one of X. */
export const COLORS: Readonly<Record<string, string>> = {
  'fine-tuning': '#0072B2',
  rifle: '#D55E00',
  'l2-sp': '#009E73',
  delta: '#6A3D9A',
  bss: '#CC79A7',
  dropout: '#56B4E9',
  'dropout-cnn': '#B8860B',
  dropconnect: '#8C2D4F',
  'dropconnect-sample': '#3F7F93',
  'stochastic-depth': '#7A8B00',
  'disturb-label': '#8C564B',
  'cyclic-lr': '#E8A33D',
  'rifle:haozhe-an': '#009E73',
  'rifle:paddle-transfer': '#6A3D9A',
  'rifle:rifle-module': '#CC79A7',
  'rifle:1-resets-cyclic': '#56B4E9',
  'rifle:2-resets': '#B8860B',
  'rifle:2-resets-cyclic': '#8C2D4F',
  'rifle:3-resets': '#3F7F93',
  'rifle:3-resets-cyclic': '#7A8B00',
  'rifle:weights': '#8C564B',
  'rifle:bias': '#E8A33D',
  'rifle:momentum': '#5B6ABF',
  'rifle:noise': '#9A9A9A',
};
