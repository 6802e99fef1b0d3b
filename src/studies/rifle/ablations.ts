// The tables of claim T5: RIFLE with one choice changed at a time, and its four published variants side by side.
import {
  type Column,
  commandOf,
  compareMethods,
  type ComparisonRow,
  comparisonTable,
  type Condition,
  conditionsOf,
  type MethodRuns,
  notRun,
  type Row,
  type StudyTableOptions,
  type Table,
} from '../../report';
import type { RunRecord } from '../../runs';
import { type Method, methods as catalog, rifle, riflePresets, type RifleOptions } from '../../transfer';
import { isFineTuning, rifleOf, runsUnder } from './selections';
import { singleParts } from './single-parts';

/** Fields that differ from the authors' choices, the preset's name aside. */
function changesOf(choices: RifleOptions): (keyof RifleOptions)[] {
  const authors = rifle('authors');
  return (Object.keys(choices) as (keyof RifleOptions)[]).filter(
    (key) => key !== 'preset' && choices[key] !== authors[key],
  );
}

const plural = (count: number): string => `${count} re-initialisation${count === 1 ? '' : 's'}`;
const parts = ({ resetWeights, resetBias }: RifleOptions): string =>
  [...(resetWeights ? ['weights'] : []), ...(resetBias ? ['bias'] : [])].join(' and ');

/**
 * What an ablation varies: the fields, and the name of a row. A variant that changes nothing is the reference in each.
 */
const SECTIONS: readonly {
  title: string;
  fields: readonly (keyof RifleOptions)[];
  label: (choices: RifleOptions) => string;
}[] = [
  {
    title: 'number of resets, head rate',
    fields: ['reinitializations', 'headLearningRate'],
    label: ({ reinitializations, headLearningRate }) => `${plural(reinitializations)}, ${headLearningRate}`,
  },
  {
    title: 'what is reset',
    fields: ['resetWeights', 'resetBias', 'clearMomentum'],
    label: (choices) => `${parts(choices)}${choices.clearMomentum ? ', momentum cleared' : ''}`,
  },
  {
    title: 'what the head gets',
    fields: ['draw', 'distribution'],
    label: ({ draw, distribution }) => `${draw === 'add' ? 'noise added' : 'new values'}, ${distribution}`,
  },
];
const PRESETS = 'published variant';
const OTHER = 'several choices';

/** The rows that a variant stands in. */
function rowsFor(choices: RifleOptions): { section: string; label: string | null }[] {
  const changes = changesOf(choices);
  const isPreset = choices.preset !== 'custom';
  const sections = SECTIONS.filter(
    ({ fields }) =>
      changes.every((change) => fields.includes(change)) &&
      (choices.preset === 'custom' || choices.preset === 'authors'),
  );
  const rows = sections.map(({ title, label }) => ({ section: title, label: label(choices) as string | null }));
  if (isPreset) return [...rows, { section: PRESETS, label: choices.preset }];
  return rows.length > 0 ? rows : [{ section: OTHER, label: null }];
}

const same = (a: RifleOptions, b: RifleOptions): boolean =>
  (Object.keys(a) as (keyof RifleOptions)[]).every((key) => key === 'preset' || a[key] === b[key]);

/** The variants of the kit's list of methods: all of RIFLE on L2. */
const listed = (): readonly Method[] =>
  catalog.list().filter((method) => {
    const { regularizer, trick, rifle } = singleParts(method);
    return rifle !== null && regularizer.name === 'l2' && trick.name === 'none';
  });

/** The variants of a condition: the listed ones, run or not, and all others that were run. */
function variantsUnder(condition: Condition, from: readonly Method[]): { runs: MethodRuns; choices: RifleOptions }[] {
  const run = condition.methods.flatMap((runs) => {
    const choices = rifleOf(runs);
    return choices === null ? [] : [{ runs, choices }];
  });
  const missing = from.filter((method) => !run.some(({ choices }) => same(choices, singleParts(method).rifle!)));
  return [...run, ...missing.map((method) => ({ runs: notRun(method.name), choices: singleParts(method).rifle! }))];
}

/**
 * T5: rows: data sets x {number of re-initialisations x head learning rate, what is reset, noise instead of a reset,
 * and the published variants that were run}.
 */
export function ablationsTable(records: readonly RunRecord[], options: StudyTableOptions = {}): Table {
  const isAbout = (runs: MethodRuns): boolean => rifleOf(runs) !== null && rifleOf(runs)!.preset === 'custom';
  const order = [...SECTIONS.map(({ title }) => title), PRESETS, OTHER];
  const rows = conditionsOf(records, isAbout, options.planned).flatMap((condition) => {
    const [plain] = runsUnder(condition, isFineTuning, 'fine-tuning');
    const rows = variantsUnder(
      condition,
      listed().filter((method) => ['authors', 'custom'].includes(singleParts(method).rifle!.preset)),
    ).flatMap(({ runs, choices }) =>
      rowsFor(choices).map(({ section, label }): ComparisonRow => ({
        condition,
        section,
        label: label ?? runs.label,
        shown: runs,
        comparison: compareMethods(runs, plain),
        isClaim: true,
      })),
    );
    const base: ComparisonRow = {
      condition,
      section: 'without RIFLE',
      label: 'fine-tuning',
      shown: plain,
      comparison: null,
      isClaim: false,
    };
    return [base, ...rows.sort((a, b) => order.indexOf(a.section!) - order.indexOf(b.section!) || byLabel(a, b))];
  });
  return comparisonTable(
    {
      id: 't5-ablations',
      title: 'Ablations of RIFLE',
      about:
        "One choice of the authors' RIFLE is changed at a time (1 re-initialisation of weights and bias, " +
        'head learning rate shared, momentum kept); their variant stands in each block.',
      rows,
      layout: 'methods',
      labelTitle: 'Variant',
      command: commandOf('t5'),
    },
    options,
  );
}

const byLabel = (a: ComparisonRow, b: ComparisonRow): number => a.label.localeCompare(b.label, 'en', { numeric: true });

const VARIANT_COLUMNS: readonly Column[] = [
  { key: 'resets', title: 'Resets after epoch' },
  { key: 'redrawn', title: 'Redrawn' },
  { key: 'distribution', title: 'Drawn from' },
];

/** The choices of a variant in words; the epochs of its resets, but one after the end, from its runs. */
function choicesRow(choices: RifleOptions, { records: [first] }: MethodRuns): Row {
  const resets = first?.resets.filter((epoch) => epoch < first.epochs.length);
  return { resets: resets?.join(', ') || null, redrawn: parts(choices), distribution: choices.distribution };
}

/** The four published variants of RIFLE side by side, each against fine-tuning. */
export function variantsTable(records: readonly RunRecord[], options: StudyTableOptions = {}): Table {
  const isPublished = (choices: RifleOptions | null): boolean =>
    choices !== null && riflePresets.includes(choices.preset);
  const isAbout = (runs: MethodRuns): boolean => isPublished(rifleOf(runs)) && rifleOf(runs)!.preset !== 'authors';
  const rows = conditionsOf(records, isAbout, options.planned).flatMap((condition) => {
    const [plain] = runsUnder(condition, isFineTuning, 'fine-tuning');
    const variants = variantsUnder(condition, listed()).filter(({ choices }) => isPublished(choices));
    const rows = variants.map(({ runs, choices }): ComparisonRow => ({
      condition,
      label: choices.preset,
      shown: runs,
      comparison: compareMethods(runs, plain),
      isClaim: true,
      extra: choicesRow(choices, runs),
    }));
    rows.sort((a, b) => riflePresets.indexOf(a.label) - riflePresets.indexOf(b.label));
    return [
      {
        condition,
        label: 'fine-tuning',
        shown: plain,
        comparison: null,
        isClaim: false,
        extra: { resets: null, redrawn: null, distribution: null },
      } satisfies ComparisonRow,
      ...rows,
    ];
  });
  return comparisonTable(
    {
      id: 't5-variants',
      title: 'The published variants of RIFLE',
      about:
        'RIFLE as four repositories publish it. Drawn from: pytorch-linear, uniform within 1/sqrt(d); ' +
        'kaiming-normal, normal with std sqrt(2/d) for weights and sqrt(2/C) for biases; ' +
        'uniform-classes, uniform within 1/sqrt(C); d features, C classes.',
      rows,
      layout: 'methods',
      labelTitle: 'Variant',
      extraColumns: VARIANT_COLUMNS,
      command: commandOf('variants'),
    },
    options,
  );
}
