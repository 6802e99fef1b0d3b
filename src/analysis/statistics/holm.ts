// Holm's correction of several tests (S. Holm, Scandinavian Journal of Statistics 6, 1979).

/**
 * Adjusted p-values by Holm's step-down procedure, in the order of `pValues`: below a level exactly where the procedure
 * rejects at that level, so that the chance of any false rejection stays below it, whatever the dependence.
 * @param pValues `null`: no test; it stays `null` and does not count.
 */
export function holmAdjusted(pValues: readonly (number | null)[]): (number | null)[] {
  const order = pValues.flatMap((p, i) => (p === null ? [] : [{ p, i }])).sort((a, b) => a.p - b.p);
  const adjusted: (number | null)[] = pValues.map(() => null);
  let largest = 0;
  for (const [rank, { p, i }] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (order.length - rank) * p));
    adjusted[i] = largest;
  }
  return adjusted;
}
