// What is made of repeated measurements: medians with their spread, and the fits of cost against size.

/** A median and the middle half of what it is the median of. */
export interface Spread {
  median: number;
  /** First and third quartile. */
  quartiles: [number, number];
}

/**
 * The value below which `fraction` of `values` lie, between two of them linearly interpolated (numpy's default); NaN of
 * none.
 */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = fraction * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return sorted.length === 0 ? NaN : below + (above - below) * (place - Math.floor(place));
}

/** Median of `values`. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Median and quartiles of `values`. */
export const spread = (values: readonly number[]): Spread => ({
  median: median(values),
  quartiles: [quantile(values, 0.25), quantile(values, 0.75)],
});

/** The line through `points` (x, y) by least squares, and the fraction of the variance of y that it explains. */
export function fitLine(points: readonly (readonly [number, number])[]): {
  slope: number;
  intercept: number;
  r2: number;
} {
  const n = points.length;
  const [meanX, meanY] = [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / n);
  const product = (of: (dx: number, dy: number) => number): number =>
    points.reduce((sum, [x, y]) => sum + of(x - meanX, y - meanY), 0);
  const slope = product((dx, dy) => dx * dy) / product((dx) => dx * dx);
  const intercept = meanY - slope * meanX;
  const left = points.reduce((sum, [x, y]) => sum + (y - intercept - slope * x) ** 2, 0);
  return { slope, intercept, r2: 1 - left / product((_, dy) => dy * dy) };
}

/**
 * k of cost = c size^k: the slope of the least-squares line through the logarithms. @param points (size, cost), all
 * positive, two sizes at least.
 */
export const fitExponent = (points: readonly (readonly [number, number])[]): number =>
  fitLine(points.map(([x, y]) => [Math.log(x), Math.log(y)])).slope;
