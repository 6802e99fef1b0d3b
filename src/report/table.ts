// The table of methods: accuracy of each over its seeds, the paired difference to its control, a verdict, and what others report.
import { pairedDifference, type PairedDifference } from '../analysis/paired';
import { summarize } from '../analysis/statistics';
import type { RunRecord } from '../runs/record';
import type { Column, Row } from './cells';
import { finalTrainTop1, groupRuns, type MethodRuns, type RunGroup } from './grouping';
import { NOT_AT_HAND, readReported, reportedFor, type ReportedSource, type ReportedValue } from './reported';
import { Table } from './tabular';
import { CONVERGED_TRAIN_TOP1, VERDICT_RULE, verdictOf, type Verdict } from './verdict';

export { Table };

/** Options of `methodsTable`. */
export interface MethodsTableOptions {
  /** The method that the others are compared with. Default `fine-tuning`. A RIFLE run is compared with the same run without RIFLE. */
  baseline?: string;
  /** Methods that get a row also when they were not run. Default the baseline and `rifle`. */
  methods?: readonly string[];
  title?: string;
  /** Default: those of `data-scripts/reported`. */
  reported?: readonly ReportedValue[];
}

/** One method of a group beside its control: what a row of the table, a caption or a report says. */
export interface Comparison {
  /** The method's name, and its label in the group. */
  method: string;
  label: string;
  runs: RunRecord[];
  /** Label of the method it is compared with; `null` for the baseline. */
  control: string | null;
  /** Percentage points of last-epoch test top-1, method - control. */
  difference: PairedDifference;
  /** `null` where no claim is made: for the baseline and for methods that are not RIFLE. */
  verdict: Verdict | null;
}

const isRifle = ({ method, records }: { method: string; records: readonly RunRecord[] }): boolean =>
  records.length > 0 ? records[0].spec.rifle !== null : /(^|\+)rifle/.test(method);

/** The methods of a group, each compared with its control, and the expected ones that were not run. */
export function compareMethods(group: RunGroup, baseline = 'fine-tuning', expected: readonly string[] = [baseline, 'rifle']): Comparison[] {
  const missing = expected.filter((name) => group.methods.every(({ method }) => method !== name)).map((name): MethodRuns => ({ label: name, method: name, records: [] }));
  const all = [...missing.filter(({ method }) => method === baseline), ...group.methods, ...missing.filter(({ method }) => method !== baseline)];
  return all.map((runs) => {
    const control = controlOf(runs, all, baseline);
    const difference = pairedDifference(bySeed(runs), bySeed(control ?? { records: [] }));
    return { method: runs.method, label: runs.label, runs: runs.records, control: control?.label ?? null, difference, verdict: control && isRifle(runs) ? verdictOf(difference) : null };
  });
}

/** A RIFLE run's control is the same without RIFLE; any other method's is the baseline. */
function controlOf(runs: MethodRuns, all: readonly MethodRuns[], baseline: string): MethodRuns | null {
  if (runs.method === baseline) return null;
  const plain = runs.method.replace(/(^|\+)rifle(:[\w-]+)?$/, '');
  const own = isRifle(runs) && plain !== '' ? all.find(({ method }) => method === plain) : undefined;
  return own ?? all.find(({ method }) => method === baseline) ?? null;
}

function bySeed({ records }: { records: readonly RunRecord[] }): Map<number, number> {
  return new Map(records.map((record) => [record.spec.seed, 100 * record.testTop1]));
}

/** Accuracy of methods over seeds, by data set, backbone and settings, with paired differences, verdicts and reported values. */
export function methodsTable(records: readonly RunRecord[], options: MethodsTableOptions = {}): Table {
  const { baseline = 'fine-tuning', methods, title = 'Test accuracy of the methods', reported = readReported() } = options;
  const groups = groupRuns(records, baseline);
  const cited = new Map<string, ReportedSource>();
  const notes: string[] = [];
  const rows: Row[] = [];
  const controls = new Set<string>();
  for (const group of groups) {
    for (const comparison of compareMethods(group, baseline, methods)) {
      const { runs, difference, control, verdict } = comparison;
      if (control !== null) controls.add(control);
      const top1 = summarize(runs.map((record) => 100 * record.testTop1));
      const found = reportedFor(reported, { method: comparison.method, dataset: group.dataset, backbone: group.backbone });
      for (const { source } of found) cited.set(source.id, source);
      rows.push({
        dataset: group.dataset,
        backbone: group.backbone,
        settings: group.settings || null,
        method: comparison.label,
        n: top1.n,
        test: top1.mean === null ? null : [top1.mean, top1.std],
        train: summarize(runs.map((record) => 100 * finalTrainTop1(record))).mean,
        control,
        pairs: control === null ? null : difference.n,
        difference: difference.mean,
        interval: difference.interval && [difference.interval.low, difference.interval.high],
        verdict,
        reported: found.length === 0 ? NOT_AT_HAND : found.map(({ value, source }) => `${rangeText(value)} [${[...cited.keys()].indexOf(source.id) + 1}]`).join('; '),
      });
      if (control !== null && runs.length > 0 && difference.n !== runs.length) {
        notes.push(`${groups.length > 1 ? `${group.label}, ` : ''}${comparison.label}: ${difference.n} of ${runs.length} seeds were also run with ${control}; only those are paired.`);
      }
    }
    notes.push(...convergenceNotes(group, groups.length > 1));
  }
  const against = controls.size === 1 ? [...controls][0] : null;
  return new Table({
    title,
    caption:
      `Test top-1 after the last epoch: mean ± sample standard deviation over n seeds. Difference: percentage points to ${against ?? 'the method named'}, ` +
      `mean over the seeds that both have, with Student's 95 % interval. ${[...new Set(groups.map(imagesText))].join(' ')}`.trim(),
    columns: columnsOf(against, groups.some(({ settings }) => settings !== '')),
    rows,
    notes: [VERDICT_RULE, ...notes, ...[...cited.values()].map((source, i) => `[${i + 1}] ${source.title}: ${source.setting}. Caveat: ${source.caveat}.`), ...abstractNotes(reported)],
  });
}

function columnsOf(against: string | null, withSettings: boolean): Column[] {
  return [
    { key: 'dataset', title: 'Data set', group: true, hoist: true },
    { key: 'backbone', title: 'Backbone', group: true, hoist: true },
    { key: 'settings', title: 'Settings', group: true, dataOnly: !withSettings },
    { key: 'method', title: 'Method' },
    { key: 'n', title: 'n', kind: 'number', digits: 0 },
    { key: 'test', title: 'Test top-1', unit: '%', kind: 'spread' },
    { key: 'train', title: 'Train top-1', unit: '%', kind: 'number' },
    { key: 'control', title: 'Against', dataOnly: against !== null },
    { key: 'pairs', title: 'Pairs', kind: 'number', digits: 0, dataOnly: true },
    { key: 'difference', title: against === null ? 'Difference' : `Difference to ${against}`, kind: 'number', signed: true },
    { key: 'interval', title: '95 % interval', kind: 'interval', signed: true },
    { key: 'verdict', title: 'Verdict' },
    { key: 'reported', title: 'Reported', unit: '%', align: 'left', hoist: true },
  ];
}

function rangeText(value: number | [number, number]): string {
  return Array.isArray(value) ? `${value[0]} to ${value[1]}` : value.toFixed(2);
}

/** `elpv: 4 classes, 240 training and 200 test images (one test image is 0.50 points).` */
function imagesText({ dataset, methods: [first] }: RunGroup): string {
  const { classes, train, test } = first.records[0].dataset;
  return `${dataset}: ${classes.length} classes, ${train} training and ${test} test images (one test image is ${(100 / test).toFixed(2)} points).`;
}

/** Which methods of a group have runs that ended before they had learnt their training images. */
function convergenceNotes({ label, methods }: RunGroup, isOneOfMany: boolean): string[] {
  const final = (records: readonly RunRecord[]): number[] => records.map((record) => finalTrainTop1(record));
  const unfinished = methods.map((runs) => ({ ...runs, low: final(runs.records).filter((top1) => top1 < CONVERGED_TRAIN_TOP1) })).filter(({ low }) => low.length > 0);
  if (unfinished.length === 0) return [];
  const who = unfinished.map((runs) => `${runs.label} ${runs.low.length} of ${runs.records.length} (lowest ${(100 * Math.min(...runs.low)).toFixed(1)} %)`).join(', ');
  return [
    `Not converged${isOneOfMany ? `, ${label}` : ''}: runs that end with a training top-1 below ${100 * CONVERGED_TRAIN_TOP1} %: ${who}. ` +
      'A difference between unfinished runs tells which learns faster, not which ends higher.',
  ];
}

/** What the abstract claims, in its own terms. */
function abstractNotes(reported: readonly ReportedValue[]): string[] {
  return reported
    .filter(({ source }) => source.id === 'abstract')
    .map(({ source, value }) => `${source.title}: ${rangeText(value)} percentage points in ${source.setting}; ${source.caveat}.`);
}
