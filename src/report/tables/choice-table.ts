// How the hyper-parameters of the tricks were chosen: every value of our own grid with its accuracy on images taken out
// of training.
import { mean } from '../../analysis/statistics/statistics';
import type { RunRecord } from '../../runs/store/record';
import stableStringify from 'safe-stable-stringify';
import { methods, type MethodParts } from '../../transfer/methods';
import type { Row } from '../table/cells';
import { Table } from '../table/tabular';

/** One value of a method's grid, tried. */
export interface Tried {
  method: string;
  /** Its settings in words, for example `rate 0.2`. */
  value: string;
  /** Mean validation top-1 in [0, 1]; NaN where a run failed, `null` where none was made. */
  top1: number | null;
  /** Whether it is what the method's default is. */
  isDefault: boolean;
  /** Whether it has the highest validation top-1; of equals the one nearest the front of the grid. */
  isBest: boolean;
}

/** What was tried, method by method. @param records runs with `evaluateOn: 'validation'`; others are left out. */
export function triedValues(records: readonly RunRecord[]): Tried[] {
  const judged = records.filter(({ spec }) => spec.evaluateOn === 'validation');
  return methods.list().flatMap((method) => {
    const rows = method.grid.map((parts) => {
      const runs = judged.filter(({ spec }) => sameParts(spec, { ...method, ...parts }));
      return {
        method: method.name,
        value: inWords(parts),
        top1: runs.length === 0 ? null : mean(runs.map(({ top1 }) => top1)),
        isDefault: sameParts(method, { ...method, ...parts }),
      };
    });
    const best = Math.max(...rows.map(({ top1 }) => top1 ?? -1));
    const first = rows.findIndex(({ top1 }) => top1 === best);
    return rows.map((row, i) => ({ ...row, isBest: i === first }));
  });
}

/** The same as a table. */
export function choiceTable(records: readonly RunRecord[]): Table {
  const tried = triedValues(records);
  const some = records.find(({ spec }) => spec.evaluateOn === 'validation');
  const where =
    some === undefined
      ? 'There is no such run yet.'
      : `${some.dataset.name}: ${some.dataset.train} training and ${some.dataset.test} validation images, ` +
        `${some.spec.backbone}, ${some.spec.epochs} epochs, seed ${some.spec.seed}.`;
  const rows = tried.map(({ method, value, top1, isDefault, isBest }): Row => ({
    method,
    value,
    top1: top1 === null ? null : 100 * top1,
    best: isBest ? 'best' : null,
    used: isDefault ? 'used' : null,
  }));
  const other = tried.filter(({ isDefault, isBest }) => isDefault && !isBest).map(({ method }) => method);
  return new Table({
    id: 'choice',
    title: 'Hyper-parameters of our own grid',
    caption:
      'Top-1 after the last epoch on validation images: a fifth of the training images of each class, taken out of ' +
      `training. No test image was used. ${where} The value used is the best one; of equals the first.`,
    columns: [
      { key: 'method', title: 'Method', group: true },
      { key: 'value', title: 'Value' },
      { key: 'top1', title: 'Validation top-1', unit: '%', kind: 'number' },
      { key: 'best', title: 'Highest' },
      { key: 'used', title: 'In the tables' },
    ],
    rows,
    notes: [
      "Our choice, as the paper's values are not at hand: one seed, a small grid, one data set for all. " +
        'A different grid may order the tricks differently.',
      ...(some !== undefined && other.length > 0
        ? [
            `At this scale another value than the one used is the highest for ${other.join(', ')}. ` +
              'The tables use the best values of the scale mini.',
          ]
        : []),
    ],
  });
}

const sameParts = (a: MethodParts, b: MethodParts): boolean => partsText(a) === partsText(b);

const partsText = ({ regularizers, tricks, reset }: MethodParts): string =>
  stableStringify([regularizers, tricks, reset])!;

function inWords(parts: Partial<MethodParts>): string {
  const { name: _, ...values } = (parts.regularizers ?? parts.tricks)![0];
  return Object.entries(values)
    .map(([key, value]) => `${key} ${String(value)}`)
    .join(', ');
}
