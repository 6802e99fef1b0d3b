// Records and checkpoints of older kits in the form of today: the one place that knows how they were written.
import { upgradedSpec } from '../../../transfer/spec/older-spec';
import type { EvaluatedSplit } from '../../../transfer/spec/spec';
import type { EpochRow } from '../record';
import { recordedFlags } from './flags';

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Number of the form of a record: 1 where it has none (kit 0.1); null where it is no number. */
export function formatOf(document: unknown): number | null {
  if (!isFields(document)) return null;
  const { format = 1 } = document;
  return typeof format === 'number' ? format : null;
}

/**
 * A record of format 1 in the form of today, which still says that its format was 1. What is of today already, or of no
 * known form, is returned as it is: the schema says what is wrong with it.
 *
 * Format 1 (kit 0.1): `testTop1` and `testLoss` were named so whichever images they were measured on, and the flags
 * held every variable that begins with `TF_`; specs had `regularizer`, `trick` and `rifle`, and one `numericsVersion`.
 */
export function toCurrentRecord(document: unknown): unknown {
  if (!isFields(document) || document.format !== undefined) return document;
  const { testTop1, numericsVersion, ...record } = document;
  const spec = isFields(record.spec) ? record.spec : {};
  const evaluatedOn = record.evaluatedOn ?? spec.evaluateOn ?? 'test';
  return {
    ...record,
    format: 1,
    spec: upgradedSpec(spec),
    numerics: { kit: numericsVersion },
    evaluatedOn,
    top1: record.top1 ?? testTop1 ?? null,
    epochs: Array.isArray(record.epochs)
      ? record.epochs.map((row: unknown) => (isFields(row) ? currentRow(row, evaluatedOn) : row))
      : record.epochs,
    environment:
      isFields(record.environment) && isFields(record.environment.flags)
        ? { ...record.environment, flags: recordedFlags(record.environment.flags as Record<string, string>) }
        : record.environment,
  };
}

/** Rows of a checkpoint of format 1 in the form of today. @param evaluateOn of the run's spec. */
export const toCurrentRows = (rows: readonly object[], evaluateOn: EvaluatedSplit): EpochRow[] =>
  rows.map((row) => {
    const current = currentRow(row as Fields, evaluateOn) as unknown as EpochRow;
    return { ...current, loss: current.loss ?? NaN, top1: current.top1 ?? NaN }; // JSON has no NaN
  });

function currentRow({ testTop1, testLoss, ...row }: Fields, evaluatedOn: unknown): Fields {
  return {
    ...row,
    evaluatedOn: row.evaluatedOn ?? evaluatedOn,
    loss: row.loss ?? testLoss ?? null,
    top1: row.top1 ?? testTop1 ?? null,
  };
}
