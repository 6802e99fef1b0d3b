// Metrics of runs that have ended already, from their kept predictions.
import { measureAll } from '../metrics/metric';
import type { RunRecord } from './store/record';
import type { RunStore } from './store/store';

/**
 * `records` with the numbers of all metrics that are defined now. Records without kept predictions stay as they are.
 * @param onProblem receives one sentence for each metric that failed. Default: nothing.
 */
export async function withMetrics(
  records: readonly RunRecord[],
  store: RunStore,
  onProblem: (text: string) => void = () => undefined,
): Promise<RunRecord[]> {
  const measured: RunRecord[] = [];
  for (const record of records) {
    const predictions = record.status === 'finished' ? await store.predictions(record.id) : null;
    measured.push(predictions === null ? record : { ...record, metrics: measureAll(predictions, onProblem) });
  }
  return measured;
}
