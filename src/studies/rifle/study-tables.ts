// The tables of claims T2 to T4: RIFLE over the base regularisers, over the known tricks, and across architectures.
import {
  commandOf,
  compareMethods,
  type ComparisonPlan,
  type ComparisonRow,
  comparisonTable,
  type Condition,
  conditionsOf,
  differences,
  isPlain,
  type MethodRuns,
  notRun,
  samePartsBut,
  type StudyTableOptions,
  type Table,
} from '../../report';
import type { RunRecord } from '../../runs';
import { methods as catalog } from '../../transfer';
import {
  isAuthors,
  isFineTuning,
  isRegularized,
  isRifleOnL2,
  regularizedBy,
  runsUnder,
  specOf,
  usesTrick,
} from './selections';
import { singleParts } from './single-parts';

/** Runs without and with RIFLE, in pairs of the same hyper-parameters; a side that was not run is empty. */
function pairsUnder(
  condition: Condition,
  fits: (runs: MethodRuns) => boolean,
  [plainName, rifleName]: readonly [string, string],
): { control: MethodRuns; treated: MethodRuns }[] {
  const [controls, treated] = [isPlain, isAuthors].map((side) =>
    condition.methods.filter((runs) => fits(runs) && side(runs)),
  );
  const partnerOf = (runs: MethodRuns, others: readonly MethodRuns[]): MethodRuns | undefined =>
    others.find((other) => samePartsBut('reset', runs, other));
  const pairs = [
    ...controls.map((control) => ({ control, treated: partnerOf(control, treated) ?? notRun(rifleName) })),
    ...treated
      .filter((runs) => !partnerOf(runs, controls))
      .map((runs) => ({ control: notRun(plainName), treated: runs })),
  ];
  return pairs.length > 0 ? pairs : [{ control: notRun(plainName), treated: notRun(rifleName) }];
}

const pairRow = (
  condition: Condition,
  label: string,
  { control, treated }: { control: MethodRuns; treated: MethodRuns },
): ComparisonRow => ({
  condition,
  label,
  shown: treated,
  comparison: compareMethods(treated, control),
  isClaim: true,
});

/**
 * `DELTA`; where a choice is not the one of the list of methods, or is one of several, with what sets it apart: `DELTA,
 * alpha 0.1`.
 */
function labelsFor(title: string, method: string, choices: readonly object[]): string[] {
  const { regularizer, trick } = singleParts(catalog.get(method));
  const apart = differences([{ regularizer, trick }, ...choices]).slice(1);
  return apart.map((text) => (text === '' ? title : `${title}, ${text}`));
}

/**
 * The base of runs: what a spec says of its regulariser and its trick; nothing apart from `method`'s when there are
 * none.
 */
function baseOf(runs: readonly MethodRuns[], method: string): object {
  const { regularizer, trick } = singleParts(runs.map(specOf).find((spec) => spec !== null) ?? catalog.get(method));
  return { regularizer, trick };
}

/** Headings of the tables that show both sides. */
const WITH_AND_WITHOUT = {
  sideTitles: ['Without RIFLE', 'With RIFLE'],
  differenceText: 'with RIFLE − without',
  effect: {
    value: 0.5,
    text: '0.5 points',
    source: 'our choice; the abstract claims at least as much over other tricks',
  },
} as const;

/** The smallest gain that the abstract claims over other tricks. */
const ABSTRACT_EFFECT = { value: 0.5, text: '0.5 points', source: "the lower end of the abstract's 0.5 to 2 points" };

/**
 * Base regularisers by name in specs: heading, names of the methods without and with RIFLE, and whether the claim is
 * about them.
 */
const REGULARIZERS = [
  { name: 'l2', title: 'L2', methods: ['fine-tuning', 'rifle'], isExpected: true },
  { name: 'l2-sp', title: 'L2-SP', methods: ['l2-sp', 'l2-sp+rifle'], isExpected: true },
  { name: 'delta', title: 'DELTA', methods: ['delta', 'delta+rifle'], isExpected: true },
  { name: 'bss', title: 'BSS', methods: ['bss', 'bss+rifle'], isExpected: false },
] as const;

/**
 * T2: RIFLE raises accuracy over the base regularisers. Rows: data sets x {L2, L2-SP, DELTA, and BSS where it was run},
 * each without and with RIFLE.
 */
export function regularizersTable(records: readonly RunRecord[], options: StudyTableOptions = {}): Table {
  const rows = conditionsOf(records, isRegularized, options.planned).flatMap((condition) =>
    REGULARIZERS.filter(({ name, isExpected }) => isExpected || condition.methods.some(regularizedBy(name))).flatMap(
      ({ name, title, methods }) => {
        const pairs = pairsUnder(condition, regularizedBy(name), methods);
        const labels = labelsFor(
          title,
          methods[0],
          pairs.map(({ control, treated }) => baseOf([control, treated], methods[0])),
        );
        return pairs.map((pair, i) => pairRow(condition, labels[i], pair));
      },
    ),
  );
  return comparisonTable(
    {
      id: 't2-regularizers',
      title: 'RIFLE on the base regularisers',
      about: "Each base regulariser without and with RIFLE, the authors' variant.",
      rows,
      layout: 'pairs',
      labelTitle: 'Regulariser',
      ...WITH_AND_WITHOUT,
      command: commandOf('t2'),
      claimOf: ({ label }) => `RIFLE on ${label}`,
      poolBy: ({ label }) => `RIFLE on ${label}`,
    },
    options,
  );
}

/** Methods of T3 in order; the optional ones get a row only where they were run. */
export const TRICKS = [
  'dropout',
  'dropout-cnn',
  'dropconnect',
  'dropconnect-sample',
  'stochastic-depth',
  'disturb-label',
  'cyclic-lr',
];
const OPTIONAL_TRICKS = ['dropconnect-sample'];

/**
 * T3: RIFLE beats the known tricks under the same settings. Rows: data sets x methods; each says how much RIFLE is
 * above it.
 */
export function tricksTable(records: readonly RunRecord[], options: StudyTableOptions = {}): Table {
  const isAbout = (runs: MethodRuns): boolean => TRICKS.some((name) => usesTrick(name)(runs));
  const rows = conditionsOf(records, isAbout, options.planned).flatMap((condition) => {
    const [rifle] = runsUnder(condition, isRifleOnL2, 'rifle');
    const rivals = (name: string, fits: (runs: MethodRuns) => boolean): ComparisonRow[] => {
      const found = runsUnder(condition, fits, name);
      const labels = labelsFor(
        catalog.get(name).title,
        name,
        found.map((runs) => baseOf([runs], name)),
      );
      return found.map((shown, i) => ({
        condition,
        label: labels[i],
        shown,
        comparison: compareMethods(rifle, shown),
        isClaim: true,
      }));
    };
    const tricks = TRICKS.filter((name) => !OPTIONAL_TRICKS.includes(name) || condition.methods.some(usesTrick(name)));
    return [
      ...rivals('fine-tuning', isFineTuning),
      ...tricks.flatMap((name) => rivals(name, usesTrick(name))),
      { condition, label: catalog.get('rifle').title, shown: rifle, comparison: null, isClaim: false },
    ];
  });
  return comparisonTable(
    {
      id: 't3-tricks',
      title: 'RIFLE against the known tricks',
      about:
        'All methods on L2, under the same settings and seeds. ' +
        'A verdict is on the claim that RIFLE is above the method of its row.',
      rows,
      layout: 'rivals',
      labelTitle: 'Method',
      differenceTitle: 'RIFLE − this',
      differenceText: 'RIFLE − the method of the row',
      effect: ABSTRACT_EFFECT,
      command: commandOf('t3'),
      claimOf: ({ condition }) => `RIFLE above every method on ${condition.label}`,
      poolBy: ({ label }) => `RIFLE above ${label}`,
    },
    options,
  );
}

/** T4: it holds across architectures. Rows: data sets x backbones, each without and with RIFLE on L2. */
export function architecturesTable(records: readonly RunRecord[], options: StudyTableOptions = {}): Table {
  const isEither = (runs: MethodRuns): boolean => isFineTuning(runs) || isRifleOnL2(runs);
  const rows = conditionsOf(records, isEither, options.planned).flatMap((condition) =>
    pairsUnder(condition, isEither, ['fine-tuning', 'rifle']).map((pair) => pairRow(condition, '', pair)),
  );
  const plan: ComparisonPlan = {
    id: 't4-architectures',
    title: 'RIFLE across architectures',
    about: "Fine-tuning on L2 without and with RIFLE, the authors' variant, backbone by backbone.",
    rows,
    layout: 'pairs',
    labelTitle: null,
    ...WITH_AND_WITHOUT,
    command: commandOf('t4'),
    claimOf: ({ condition }) => `RIFLE across backbones on ${condition.dataset ?? 'any data set'}`,
  };
  return comparisonTable(plan, options);
}
