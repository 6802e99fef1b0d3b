// Axes: where ticks stand and what they say, on linear and logarithmic scales.
import { INK } from './figure-style';

/** What all axes share. */
export const QUIET_AXIS = {
  gridcolor: INK.grid,
  linecolor: INK.axis,
  zeroline: false,
  ticks: 'outside',
  ticklen: 4,
  tickcolor: INK.axis,
  automargin: false,
};

/** Ticks by hand: places in the axis's data, and what stands there. */
export interface Ticks {
  values: number[];
  texts: string[];
}

/** The smallest step of 1, 2 or 5 times a power of ten that gives at most `most` ticks over `length`. */
export function tickStep(length: number, most: number): number {
  const power = 10 ** Math.floor(Math.log10(length / most));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => length / step <= most) ?? 10 * power;
}

/**
 * Ticks of a logarithmic axis from `low` to `high` (both above 0): powers of ten, with 2 and 5 times them or 2 to 9
 * times where there is room, and round steps where there would be fewer than three; at most about `most`.
 */
export function logTicks(low: number, high: number, most: number): Ticks {
  const decades = Math.log10(high / low);
  const factors = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5], [1]].find((each) => each.length * decades <= most) ?? [1];
  const every = factors.length === 1 ? Math.max(1, Math.ceil(decades / most)) : 1;
  const values: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    if (power % every !== 0) continue;
    for (const factor of factors) {
      const value = Number(`${factor}e${power}`);
      if (value >= low && value <= high) values.push(value);
    }
  }
  if (values.length < 3) {
    const step = tickStep(high - low, most);
    const first = Math.ceil(low / step);
    const even = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) =>
      Number(((first + i) * step).toPrecision(12)),
    );
    if (even.length > values.length) return { values: even, texts: even.map(shortNumber) };
  }
  return { values, texts: values.map(shortNumber) };
}

/** A round number as it stands at a tick: `0.002`, `1`, `2e−5`. */
export function shortNumber(value: number): string {
  const text =
    Math.abs(value) >= 1e-4 && Math.abs(value) < 1e6
      ? String(Number(value.toPrecision(4)))
      : value.toExponential().replace('e+', 'e');
  return text.replaceAll('-', '−');
}
