// How alike two representations of the same images are: linear centred kernel alignment (Kornblith et al., ICML 2019,
// arXiv 1905.00414).
// Own matrix products: TensorFlow.js has no float64, mathjs and danfo work on arrays of arrays, and both products here
// are symmetric or of few rows, so that half of the work and all copies are saved.
import { KitError } from '../base/errors';

/** Features of examples, row by row: `values[i * features + j]` is feature j of example i. */
export interface FeatureMatrix {
  examples: number;
  features: number;
  values: Float32Array | Float64Array;
}

/** Two estimates of the same alignment. */
export interface CkaEstimates {
  /**
   * The paper's, in [0, 1]. It is biased upwards where there are few examples for many features: of independent noise,
   * 0.86 with 200 for 1280.
   */
  cka: number;
  /**
   * With the unbiased estimate of each inner product (Song et al., JMLR 2012, equation 5; used so by Nguyen et al.,
   * ICLR 2021, arXiv 2010.15327), in [-1, 1], about 0 for independent representations; `null` of fewer than four
   * examples, and where the estimate of a product with itself is 0.
   */
  unbiased: number | null;
}

/**
 * Linear CKA of two representations of the same examples, in [0, 1]: 1 when one is a rotation, a shift and a uniform
 * scaling of the other.
 * With X [examples, p] and Y [examples, q] less their means over the examples it is |Y'X|^2 / (|X'X| |Y'Y|), Frobenius
 * norms (equation 4 of the paper). See `ckaEstimates`, which also has it without its bias.
 * @throws KitError when the examples are not the same number, fewer than two, or a representation is the same for all
 *   of them.
 */
export function linearCka(x: FeatureMatrix, y: FeatureMatrix): number {
  return ckaEstimates(x, y).cka;
}

/**
 * Linear CKA as `linearCka` gives it, and without its bias. Exact: all sums are of float64, over the products of
 * features or of examples,
 * |Y'X|^2 = <XX', YY'>, whichever are fewer; the forms agree to rounding.
 * @throws KitError as `linearCka`.
 */
export function ckaEstimates(x: FeatureMatrix, y: FeatureMatrix): CkaEstimates {
  for (const [name, matrix] of [
    ['first', x],
    ['second', y],
  ] as const)
    requireMatrix(name, matrix);
  if (x.examples !== y.examples)
    throw new KitError(
      `CKA compares two representations of the same examples: found ${x.examples} and ${y.examples}.`,
      { code: 'CKA_EXAMPLES_MISMATCH', fix: 'Compute both on the same images, in the same order.' },
    );
  const n = x.examples;
  const [first, second] = [centred(x), centred(y)];
  for (const [name, values] of [
    ['first', first],
    ['second', second],
  ] as const) {
    if (values.every((value) => value === 0))
      throw new KitError(`CKA is not defined: the ${name} representation is the same for all ${n} examples.`, {
        code: 'CKA_CONSTANT',
        fix: 'Compare a layer whose output depends on its input.',
      });
  }
  const { xx, xy, yy } = innerProducts(first, x.features, second, y.features, n);
  const unbiased = (product: number, a: Float64Array, b: Float64Array): number =>
    product + (sum(a) * sum(b)) / ((n - 1) * (n - 2)) - (n / (n - 2)) * dot(a, b);
  const [a, b] = [squaredLengths(first, n), squaredLengths(second, n)];
  const own = n < 4 ? 0 : unbiased(xx, a, a) * unbiased(yy, b, b);
  return { cka: xy / Math.sqrt(xx * yy), unbiased: own > 0 ? unbiased(xy, a, b) / Math.sqrt(own) : null };
}

/** <XX', XX'>, <XX', YY'> and <YY', YY'> of centred X [n, p] and Y [n, q]. */
function innerProducts(
  x: Float64Array,
  p: number,
  y: Float64Array,
  q: number,
  n: number,
): { xx: number; xy: number; yy: number } {
  const byFeatures = n * (p * q + (p * p + q * q) / 2);
  const byExamples = (n * n * (p + q)) / 2;
  if (byExamples <= byFeatures) {
    const [xx, yy] = [gram(x, n, p), gram(y, n, q)];
    return { xx: dot(xx, xx), xy: dot(xx, yy), yy: dot(yy, yy) };
  }
  const [columnsOfX, columnsOfY] = [transposed(x, n, p), transposed(y, n, q)];
  const [xx, xy, yy] = [gram(columnsOfX, p, n), products(columnsOfX, p, columnsOfY, q, n), gram(columnsOfY, q, n)];
  return { xx: dot(xx, xx), xy: dot(xy, xy), yy: dot(yy, yy) };
}

function requireMatrix(name: string, { examples, features, values }: FeatureMatrix): void {
  if (examples < 2 || features < 1 || values.length !== examples * features) {
    throw new KitError(
      `CKA needs at least two examples and one feature, [examples, features]. ` +
        `Found in the ${name} matrix: ${examples} x ${features} with ${values.length} values.`,
      { code: 'CKA_MATRIX', fix: 'Give as many values as examples times features.' },
    );
  }
}

/** The values less their mean over the examples. A feature that never changes is exactly 0. */
function centred({ examples, features, values }: FeatureMatrix): Float64Array {
  const result = Float64Array.from(values);
  for (let j = 0; j < features; j++) {
    const first = result[j];
    let sum = 0;
    for (let at = j; at < result.length; at += features) sum += result[at] - first;
    const mean = first + sum / examples;
    for (let at = j; at < result.length; at += features) result[at] -= mean;
  }
  return result;
}

function transposed(values: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j];
  return result;
}

/** The scalar products of all pairs of rows of `a` and `b`, each row `length` long: [rowsOfA, rowsOfB]. */
function products(a: Float64Array, rowsOfA: number, b: Float64Array, rowsOfB: number, length: number): Float64Array {
  const result = new Float64Array(rowsOfA * rowsOfB);
  for (let i = 0; i < rowsOfA; i++) fillRow(a, i, b, 0, rowsOfB, length, result, rowsOfB);
  return result;
}

/**
 * The scalar products of all pairs of rows of `a`: those with i = j, and those with i < j times the square root of 2,
 * for the half that is left out. So the scalar product of two such results is that of the whole, symmetric matrices.
 */
function gram(a: Float64Array, rows: number, length: number): Float64Array {
  const result = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    fillRow(a, i, a, i, rows, length, result, rows);
    for (let j = i + 1; j < rows; j++) result[i * rows + j] *= Math.SQRT2;
  }
  return result;
}

/** Row i of `a` times the rows `from` to `to` of `b`; four at once, which keeps the processor's adders busy. */
function fillRow(
  a: Float64Array,
  i: number,
  b: Float64Array,
  from: number,
  to: number,
  length: number,
  into: Float64Array,
  width: number,
): void {
  const row = a.subarray(i * length, (i + 1) * length);
  let j = from;
  for (; j + 4 <= to; j += 4) {
    const [b0, b1, b2, b3] = [0, 1, 2, 3].map((k) => (j + k) * length);
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let k = 0; k < length; k++) {
      const value = row[k];
      s0 += value * b[b0 + k];
      s1 += value * b[b1 + k];
      s2 += value * b[b2 + k];
      s3 += value * b[b3 + k];
    }
    into.set([s0, s1, s2, s3], i * width + j);
  }
  for (; j < to; j++) {
    let sum = 0;
    for (let k = 0; k < length; k++) sum += row[k] * b[j * length + k];
    into[i * width + j] = sum;
  }
}

/**
 * |x|^2 of each of the n rows: less the diagonal, a centred matrix of products XX' has the row sums -|x|^2, and that is
 * all that the unbiased estimate needs of it.
 */
function squaredLengths(values: Float64Array, n: number): Float64Array {
  const width = values.length / n;
  return Float64Array.from({ length: n }, (_, i) => {
    const row = values.subarray(i * width, (i + 1) * width);
    return dot(row, row);
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}

const sum = (a: Float64Array): number => a.reduce((total, value) => total + value, 0);
