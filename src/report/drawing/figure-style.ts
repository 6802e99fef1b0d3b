// One look for all figures: a palette that colour-blind readers can tell apart (Okabe and Ito, 2008), quiet axes, one
// font.
import { createHash } from 'node:crypto';
import { methods } from '../../transfer/methods';

/** Arial and the fonts of the same metrics, in which widths are computed. */
export const FONT = 'Arial, Helvetica, "Liberation Sans", sans-serif';

/** Colours of everything that is not data. */
export const INK = { text: '#1f2933', soft: '#616e7c', axis: '#9aa5b1', grid: '#e9edf1', paper: '#ffffff' };

/** For methods without a colour of their own. Okabe and Ito's other colours first. */
const PALETTE = [
  '#009E73',
  '#6A3D9A',
  '#CC79A7',
  '#56B4E9',
  '#B8860B',
  '#8C2D4F',
  '#3F7F93',
  '#7A8B00',
  '#8C564B',
  '#E8A33D',
  '#5B6ABF',
  '#9A9A9A',
];

const STYLES = [
  { dash: 'solid', symbol: 'circle' },
  { dash: 'dot', symbol: 'diamond' },
  { dash: 'dashdot', symbol: 'square' },
  { dash: 'longdash', symbol: 'triangle-up' },
];

/**
 * The colour of a method, the same in every figure: that of its records, else of its definition; of `X+rifle` a darker
 * one of X; else one of the palette that follows from its name alone, so that no other method changes it.
 */
export function colorOf(method: string, recorded: string | null = null): string {
  const own = recorded ?? methods.list().find(({ name }) => name === method)?.colour;
  if (own) return own;
  const base = /^(.+)\+rifle$/.exec(method)?.[1];
  if (base !== undefined) return darker(colorOf(base));
  return PALETTE[createHash('sha256').update(method).digest()[0] % PALETTE.length];
}

const darker = (color: string): string =>
  `#${[1, 3, 5]
    .map((at) =>
      Math.round(0.6 * parseInt(color.slice(at, at + 2), 16))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;

/** Line and marker of the `variant`-th (0-based) line of one method. */
export function seriesStyle(variant: number): { dash: string; symbol: string } {
  return STYLES[variant % STYLES.length];
}

/** A `#rrggbb` colour for a band behind its line. */
export function translucent(color: string): string {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return `rgba(${red}, ${green}, ${blue}, 0.16)`;
}

/**
 * Colours of amounts, from little to much: viridis (Smith and van der Walt, 2015; CC0), as plotly lists it. Its
 * lightness alone tells them apart.
 */
export const SEQUENTIAL: readonly (readonly [number, string])[] = [
  '#440154',
  '#48186a',
  '#472d7b',
  '#424086',
  '#3b528b',
  '#33638d',
  '#2c728e',
  '#26828e',
  '#21918c',
  '#1fa088',
  '#28ae80',
  '#3fbc73',
  '#5ec962',
  '#84d44b',
  '#addc30',
  '#d8e219',
  '#fde725',
].map((color, i, all) => [i / (all.length - 1), color] as const);

/** Colours of ratios, from less over the same to more: the palette's blue, white, and its vermilion. */
export const DIVERGING: readonly (readonly [number, string])[] = [
  [0, '#004a74'],
  [0.2, '#0072b2'],
  [0.5, '#f7f7f7'],
  [0.8, '#d55e00'],
  [1, '#8a3d00'],
];
