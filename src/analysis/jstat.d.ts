// Types of the one function of jstat that the kit uses; the package brings none.
declare module 'jstat' {
  /** Student's t distribution. */
  export const jStat: { studentt: { inv(probability: number, degreesOfFreedom: number): number } };
}
