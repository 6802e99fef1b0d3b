// The table of all methods that were run: accuracy of each over its seeds, the paired difference to its control, a
// verdict, and what others report.
import { rifleOf } from '../../transfer/resets/rifle';
import type { RunRecord } from '../../runs/store/record';
import { compareMethods, notRun } from '../comparison/comparison';
import { comparisonTable } from '../comparison/comparison-table';
import { groupRuns, isPlain, samePartsBut, type MethodRuns, type RunGroup } from '../comparison/grouping';
import type { ComparisonRow, StudyTableOptions } from '../comparison/comparison-plan';
import type { Table } from '../table/tabular';

/** Options of `methodsTable`. */
export interface MethodsTableOptions extends StudyTableOptions {
  /**
   * The method that the others are compared with. Default `fine-tuning`. A RIFLE run is compared with the same run
   * without RIFLE.
   */
  baseline?: string;
  /** Methods that get a row also when they were not run. Default the baseline and `rifle`. */
  methods?: readonly string[];
}

const hasRifle = ({ method, records }: MethodRuns): boolean =>
  records.length > 0 ? rifleOf(records[0].spec) !== null : /(^|\+)rifle/.test(method);

const guestOf = ({ records }: MethodRuns) => records[0]?.guestMethod;

/** The methods of a group, each compared with its control, and the expected ones that were not run. */
export function rowsOfGroup(
  group: RunGroup,
  baseline = 'fine-tuning',
  expected: readonly string[] = [baseline, 'rifle'],
): ComparisonRow[] {
  const missing = expected
    .filter((name) => group.methods.every(({ method }) => method !== name))
    .map((name) => notRun(name));
  const all = [
    ...missing.filter(({ method }) => method === baseline),
    ...group.methods,
    ...missing.filter(({ method }) => method !== baseline),
  ];
  return all.map((shown): ComparisonRow => {
    const control = controlOf(shown, all, baseline);
    return {
      condition: group,
      label: shown.label,
      shown,
      comparison: control && compareMethods(shown, control),
      isClaim: control !== null && (hasRifle(shown) || guestOf(shown)?.control != null),
    };
  });
}

/**
 * A study's method has the control of its definition. A RIFLE run's control is the same without RIFLE, whether it was
 * run or not; any other method's is the baseline.
 */
function controlOf(runs: MethodRuns, all: readonly MethodRuns[], baseline: string): MethodRuns | null {
  if (runs.method === baseline) return null;
  const base = all.find(({ method }) => method === baseline) ?? null;
  const guest = guestOf(runs);
  if (guest)
    return all.find(({ method }) => method === guest.control) ?? (guest.control ? notRun(guest.control) : base);
  const plain = runs.method.replace(/\+?rifle(:[\w-]+)?$/, '');
  if (!hasRifle(runs) || plain === '') return base;
  return (
    all.find((other) => isPlain(other) && samePartsBut('reset', runs, other)) ??
    all.find(({ method }) => method === plain) ??
    notRun(plain)
  );
}

/**
 * Accuracy of methods over seeds, by data set, backbone and settings, with paired differences, verdicts and reported
 * values.
 */
export function methodsTable(records: readonly RunRecord[], options: MethodsTableOptions = {}): Table {
  const { baseline = 'fine-tuning', methods } = options;
  const rows = groupRuns(records, baseline).flatMap((group) => rowsOfGroup(group, baseline, methods));
  return comparisonTable(
    {
      id: 'methods',
      title: 'Test accuracy of the methods',
      rows,
      layout: 'methods',
      labelTitle: 'Method',
      command: 'npx rifle reproduce',
      claimOf: ({ label }) => label,
    },
    options,
  );
}
