// Types of the few functions of jstat that the kit uses; the package brings none.
declare module 'jstat' {
  export const jStat: {
    /** Student's t distribution. */
    studentt: { inv(probability: number, degreesOfFreedom: number): number };
    /** The normal distribution. */
    normal: {
      cdf(x: number, mean: number, std: number): number;
      inv(probability: number, mean: number, std: number): number;
    };
  };
}
