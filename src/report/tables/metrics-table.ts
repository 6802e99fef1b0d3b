// The table of metrics: what methods reach besides top-1, over their seeds.
import { mean, sampleStd } from '../../analysis/statistics/statistics';
import { datasets } from '../../data/catalog';
import { metrics as catalog } from '../../metrics/metric';
import type { RunRecord } from '../../runs/store/record';
import { onTest } from '../comparison/conditions';
import { groupRuns } from '../comparison/grouping';
import type { CellSource, Column, Pair, Row } from '../table/cells';
import { Table } from '../table/tabular';

/**
 * Mean and standard deviation over seeds of every metric, by data set, backbone, settings and method. Runs on a
 * validation split, failed runs and records of kit 0.1, which have no metrics, are left out.
 */
export function metricsTable(records: readonly RunRecord[], { title = 'Metrics' }: { title?: string } = {}): Table {
  const measured = onTest(records).filter(({ metrics }) => metrics !== undefined);
  const names = [...new Set(measured.map(({ dataset }) => dataset.name))].sort();
  const official = datasets
    .list()
    .filter(({ name, metric }) => metric === 'meanPerClass' && names.includes(name))
    .map(({ name }) => name);
  const shown = catalog
    .list()
    .filter(({ name }) => measured.some(({ metrics }) => metrics![name] != null))
    .map((metric) => ({ ...metric, scale: metric.isFraction ? 100 : 1, unit: metric.isFraction ? '%' : undefined }));
  const entries = groupRuns(measured).flatMap(({ dataset, backbone, settings, methods }) =>
    methods.map(({ label, records: runs }): { row: Row; sources: Record<string, CellSource> } => {
      const source: CellSource = { of: `${label} on ${dataset}`, runs: runs.map(({ id }) => id) };
      const cells = shown.map(({ name, scale }): [string, Pair | null] => {
        const values = runs.flatMap(({ metrics }) => metrics![name] ?? []).map((value) => scale * value);
        if (values.length === 0) return [name, null];
        return [name, [mean(values), values.length > 1 ? sampleStd(values) : null]];
      });
      return {
        row: {
          dataset,
          backbone,
          settings: settings || null,
          method: label,
          n: runs.length,
          ...Object.fromEntries(cells),
        },
        sources: Object.fromEntries(cells.filter(([, pair]) => pair !== null).map(([name]) => [name, source])),
      };
    }),
  );
  return new Table({
    id: 'metrics',
    title,
    caption:
      'Test images, last epoch: mean ± sample standard deviation over n seeds. ' +
      'Definitions are those of scikit-learn; NLL in nats; calibration error over 15 bins.',
    columns: [
      { key: 'dataset', title: 'Data set', group: true, hoist: true },
      { key: 'backbone', title: 'Backbone', group: true, hoist: true },
      { key: 'settings', title: 'Settings', group: true, hoist: true },
      { key: 'method', title: 'Method' },
      { key: 'n', title: 'n', kind: 'number', digits: 0 },
      ...shown.map(({ name, title: heading, unit, digits }): Column => ({
        key: name,
        title: heading,
        unit,
        kind: 'spread',
        digits,
      })),
    ],
    rows: entries.map(({ row }) => row),
    sources: entries.map(({ sources }) => sources),
    notes:
      official.length === 0
        ? []
        : [
            `The official metric of ${official.join(', ')} is the mean accuracy per class; ` +
              'of the other data sets it is top-1.',
          ],
  });
}
