// The tables of claims T2 to T4: RIFLE over the base regularisers, over the known tricks, and across architectures.
import { singleParts } from '../../transfer/single-parts';
import type { RunRecord } from '../../runs/store/record';
import { methods as catalog } from '../../transfer/methods';
import { compare, notRun } from '../comparison/comparison';
import { comparisonTable } from '../comparison/comparison-table';
import { differences, isPlain, samePartsBut, type MethodRuns } from '../comparison/grouping';
import { commandOf, type ComparisonPlan, type Line, type StudyTableOptions } from '../comparison/rows';
import { placesOf, type Place } from '../comparison/columns';
import {
  isAuthors,
  isFineTuning,
  isRegularized,
  isRifle,
  regularizedBy,
  runsAt,
  specOf,
  usesTrick,
} from '../comparison/selections';
import type { Table } from '../table/tabular';

/** Without and with RIFLE at a place, in pairs of the same hyper-parameters; a side that was not run is empty. */
function pairsAt(
  place: Place,
  fits: (runs: MethodRuns) => boolean,
  [plainName, rifleName]: readonly [string, string],
): { control: MethodRuns; treated: MethodRuns }[] {
  const [controls, treated] = [isPlain, isAuthors].map((side) =>
    place.methods.filter((runs) => fits(runs) && side(runs)),
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

const pairLine = (
  place: Place,
  label: string,
  { control, treated }: { control: MethodRuns; treated: MethodRuns },
): Line => ({
  place,
  label,
  shown: treated,
  comparison: compare(treated, control),
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
  const lines = placesOf(records, isRegularized, options.planned).flatMap((place) =>
    REGULARIZERS.filter(({ name, isExpected }) => isExpected || place.methods.some(regularizedBy(name))).flatMap(
      ({ name, title, methods }) => {
        const pairs = pairsAt(place, regularizedBy(name), methods);
        const labels = labelsFor(
          title,
          methods[0],
          pairs.map(({ control, treated }) => baseOf([control, treated], methods[0])),
        );
        return pairs.map((pair, i) => pairLine(place, labels[i], pair));
      },
    ),
  );
  return comparisonTable(
    {
      id: 't2-regularizers',
      title: 'RIFLE on the base regularisers',
      about: "Each base regulariser without and with RIFLE, the authors' variant.",
      lines,
      layout: 'pairs',
      labelTitle: 'Regulariser',
      command: commandOf('t2'),
      claimOf: ({ label }) => `RIFLE on ${label}`,
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
  const lines = placesOf(records, isAbout, options.planned).flatMap((place) => {
    const [rifle] = runsAt(place, isRifle, 'rifle');
    const rivals = (name: string, fits: (runs: MethodRuns) => boolean): Line[] => {
      const found = runsAt(place, fits, name);
      const labels = labelsFor(
        catalog.get(name).title,
        name,
        found.map((runs) => baseOf([runs], name)),
      );
      return found.map((shown, i) => ({
        place,
        label: labels[i],
        shown,
        comparison: compare(rifle, shown),
        isClaim: true,
      }));
    };
    const tricks = TRICKS.filter((name) => !OPTIONAL_TRICKS.includes(name) || place.methods.some(usesTrick(name)));
    return [
      ...rivals('fine-tuning', isFineTuning),
      ...tricks.flatMap((name) => rivals(name, usesTrick(name))),
      { place, label: catalog.get('rifle').title, shown: rifle, comparison: null, isClaim: false },
    ];
  });
  return comparisonTable(
    {
      id: 't3-tricks',
      title: 'RIFLE against the known tricks',
      about:
        'All methods on L2, under the same settings and seeds; a verdict is on the claim that RIFLE is above the method of its row.',
      lines,
      layout: 'rivals',
      labelTitle: 'Method',
      differenceTitle: 'RIFLE − this',
      command: commandOf('t3'),
      claimOf: ({ place }) => `RIFLE above every method on ${place.label}`,
    },
    options,
  );
}

/** T4: it holds across architectures. Rows: data sets x backbones, each without and with RIFLE on L2. */
export function architecturesTable(records: readonly RunRecord[], options: StudyTableOptions = {}): Table {
  const isEither = (runs: MethodRuns): boolean => isFineTuning(runs) || isRifle(runs);
  const places = placesOf(records, isEither, options.planned);
  const lines = places.flatMap((place) =>
    pairsAt(place, isEither, ['fine-tuning', 'rifle']).map((pair) => pairLine(place, '', pair)),
  );
  const plan: ComparisonPlan = {
    id: 't4-architectures',
    title: 'RIFLE across architectures',
    about: "Fine-tuning on L2 without and with RIFLE, the authors' variant, backbone by backbone.",
    lines,
    layout: 'pairs',
    labelTitle: null,
    command: commandOf('t4'),
    claimOf: ({ place }) => `RIFLE across backbones on ${place.dataset ?? 'any data set'}`,
  };
  return comparisonTable(plan, options);
}
