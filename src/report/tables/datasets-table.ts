// The table of data sets and their splits, from the catalog and from the records of runs.
import { datasets } from '../../data/catalog';
import type { DatasetSpec } from '../../data/dataset';
import type { RunRecord } from '../../runs/store/record';
import type { CellSource, Row } from '../table/cells';
import { inOrder } from '../comparison/grouping';
import { commandOf } from '../comparison/comparison-plan';
import { nameOfDataset, onTest, type PlannedRun } from '../comparison/conditions';
import { distinct } from '../comparison/notes';
import { Table } from '../table/tabular';

/** Options of `datasetsTable`. */
export interface DatasetsTableOptions {
  title?: string;
  /**
   * Names of the data sets that get a row. Default: those of the records and of `planned`; without any, all of the
   * catalog.
   */
  names?: readonly string[];
  /** Runs that should exist: their data sets get rows. */
  planned?: readonly PlannedRun[];
  /** Name of the scale at which the runs were made; shown in the caption. */
  scale?: string;
  /** Sentences for the caption. */
  notes?: readonly string[];
  /** Notes below the table, one each. Default none. */
  remarks?: readonly string[];
}

/** Up to so many data sets, the notes give the split of each. */
const FEW = 6;

/** Digits of a hash that are shown; CSV and JSON hold all. */
const SHOWN = 12;

/** One row a data set: classes, images of each split, how many of them the runs used, licence, hashes. */
export function datasetsTable(records: readonly RunRecord[] = [], options: DatasetsTableOptions = {}): Table {
  const { title = 'Data sets and their splits', scale, notes = [], remarks = [] } = options;
  const catalog = datasets.list();
  const used = inOrder(onTest(records));
  const named =
    options.names ??
    distinct([
      ...used.map(({ dataset }) => dataset.name),
      ...(options.planned ?? []).map(({ dataset }) => nameOfDataset(dataset)),
    ]);
  const names = named.length > 0 ? [...named].sort() : catalog.map(({ name }) => name);
  const entries = names.map((name) =>
    entryOf(
      name,
      catalog.find((spec) => spec.name === name),
      used.filter(({ dataset }) => dataset.name === name),
    ),
  );
  const isRun = used.length > 0;
  const missing = entries.filter(({ row }) => row.hash === null).map(({ row }) => String(row.dataset));
  const isPlanned = (options.planned ?? []).length > 0;
  return new Table({
    id: 't1-datasets',
    title,
    caption: [
      `Images of each split. Archive: sha256 of the downloaded files, the first ${SHOWN} of 64 digits; ` +
        '– where no hash is published.',
      isRun
        ? 'Used: images of the runs, "all" or, with a limit per class, training / test. Read: sha256 over ' +
          'class names, splits and the bytes of every image, as the runs read them.'
        : '',
      scale === undefined ? '' : `Scale ${scale}.`,
      ...notes,
    ]
      .filter(Boolean)
      .join(' '),
    columns: [
      { key: 'dataset', title: 'Data set' },
      { key: 'title', title: 'What it is', dataOnly: true },
      { key: 'classes', title: 'Classes', kind: 'number', digits: 0 },
      { key: 'train', title: 'Train', kind: 'number', digits: 0 },
      { key: 'test', title: 'Test', kind: 'number', digits: 0 },
      { key: 'used', title: 'Used', align: 'right', dataOnly: !isRun && !isPlanned },
      { key: 'licence', title: 'Licence' },
      { key: 'archive', title: 'Archive' },
      { key: 'hash', title: 'Read', dataOnly: !isRun },
      { key: 'archive_sha256', title: 'sha256 of the archive', dataOnly: true },
      { key: 'data_sha256', title: 'sha256 of the data', dataOnly: true },
      { key: 'split', title: 'Split', dataOnly: true },
    ],
    rows: entries.map(({ row }) => row),
    sources: entries.map(({ sources }) => sources),
    notes: [
      ...(entries.length <= FEW
        ? entries.flatMap(({ note }) => note ?? [])
        : ['Where each split comes from: column `split` of the CSV, or `npx rifle data list --json`.']),
      ...remarks,
      ...((isRun || isPlanned) && missing.length > 0
        ? [
            `Nothing was run on ${missing.join(', ')}. To run: \`${commandOf('t2', scale)}\`. ` +
              'A folder of your own is named in the environment variable RIFLE_DATA.',
          ]
        : []),
    ],
  });
}

function entryOf(
  name: string,
  spec: DatasetSpec | undefined,
  records: readonly RunRecord[],
): { row: Row; sources: Record<string, CellSource>; note: string | null } {
  const [first] = records;
  const whole = records.find(
    ({ spec: { limits } }) => limits.trainPerClass === null && limits.testPerClass === null,
  )?.dataset;
  const hashes = distinct(records.map(({ dataset }) => dataset.hash));
  const [train, test] = [spec?.counts.train ?? whole?.train ?? null, spec?.counts.test ?? whole?.test ?? null];
  const usedText = distinct(
    records.map(({ dataset }) =>
      dataset.train === train && dataset.test === test ? 'all' : `${dataset.train} / ${dataset.test}`,
    ),
  );
  const archives = (spec?.files ?? []).flatMap(({ sha256 }) => sha256 ?? []);
  const source: CellSource = { of: `data of ${name}`, runs: records.map(({ id }) => id) };
  return {
    row: {
      dataset: name,
      title: spec?.title ?? null,
      classes: spec?.classes.length ?? first?.dataset.classes.length ?? null,
      train,
      test,
      used: usedText.join(', ') || 'not run',
      licence: spec?.licence ?? null,
      archive: archives.map((hash) => hash.slice(0, SHOWN)).join(', ') || null,
      hash: hashes.map((hash) => hash.slice(0, SHOWN)).join(', ') || null,
      archive_sha256: archives.join(' ') || null,
      data_sha256: hashes.join(' ') || null,
      split: spec?.note ?? null,
    },
    sources: records.length > 0 ? { used: source, hash: source } : {},
    note: spec?.note === undefined ? null : `${name}: ${spec.note}`,
  };
}
