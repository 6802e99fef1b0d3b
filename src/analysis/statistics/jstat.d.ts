// Types of the few functions of jstat that the kit uses; the package has none.
declare module 'jstat' {
  export const jStat: {
    /** Student's t distribution. */
    studentt: { inv(probability: number, degreesOfFreedom: number): number };
    /** The regularised incomplete beta function. */
    ibeta(x: number, a: number, b: number): number;
    /** The logarithm of the gamma function. */
    gammaln(x: number): number;
    /** The normal distribution. */
    normal: {
      cdf(x: number, mean: number, std: number): number;
      inv(probability: number, mean: number, std: number): number;
    };
  };
}
