// The RIFLE study: for each claim of the paper (see README) the runs that test it, and how its results are shown.
import './methods';
import { choiceTable, datasetsTable, groupRuns, type MethodRuns, onTest } from '../../report';
import type { RunRecord } from '../../runs';
import { methods, parseRunSpec, type RunSpec, type RunSpecInput } from '../../transfer';
import { defineStudy, type Scale } from '..';
import { ablationsTable, variantsTable } from './ablations';
import {
  analyseLowLevel,
  analyseRepresentations,
  basicRuns,
  ckaFigures,
  distanceFigures,
  forestOf,
  gradientFigures,
  hasLayers,
  lowLevelFigures,
  trainingFigures,
} from './figures';
import { powerTable } from './design/power';
import { regimeFigures } from './design/regime';
import { recoveryTable } from './recovery-table';
import { isFineTuning, isRegularized, isRifleOnL2, rifleOf, usesTrick } from './selections';
import { architecturesTable, regularizersTable, TRICKS, tricksTable } from './study-tables';
import './scales';

const RIFLE_OR_NOT = ['fine-tuning', 'rifle'];
/** The costly grids take fewer seeds. */
const FEW = { smoke: [0], mini: [0, 1] };
const ONE = { smoke: [0] };

const AUTHORS_DATA =
  "The authors' README lists CUB-200-2011, Stanford Dogs, Stanford Cars, food101-30 and Describable Textures. " +
  "No split here is confirmed as the paper's own.";

/** Whether runs for which `isAbout` holds were evaluated on test images. */
const has =
  (isAbout: (runs: MethodRuns) => boolean) =>
  (records: readonly RunRecord[]): boolean =>
    groupRuns(onTest(records)).some(({ methods: found }) => found.some(isAbout));

const isAblation = (runs: MethodRuns): boolean => rifleOf(runs)?.preset === 'custom';
const isVariant = (runs: MethodRuns): boolean =>
  rifleOf(runs) !== null && !['authors', 'custom'].includes(rifleOf(runs)!.preset);

function hasTwoBackbones(records: readonly RunRecord[]): boolean {
  const groups = groupRuns(onTest(records)).filter(
    ({ methods: found }) => found.some(isRifleOnL2) && found.some(isFineTuning),
  );
  return groups.some(({ dataset, backbone }) =>
    groups.some((other) => other.dataset === dataset && other.backbone !== backbone),
  );
}

const withGrid = () => methods.list().filter(({ grid }) => grid.length > 0);

/** One run for each value in the grid of each method, evaluated on images taken out of training. */
const triedSpecs = (spec: RunSpecInput, { name }: Scale): RunSpec[] =>
  withGrid()
    .slice(0, name === 'smoke' ? 1 : undefined)
    .flatMap((method) =>
      method.grid.map((tried) =>
        parseRunSpec({ ...methods.apply(method.name, spec), ...tried, evaluateOn: 'validation' }),
      ),
    );

/**
 * Fine-tuning and RIFLE of the scale, and of shorter schedules, which have not converged when the head is reset. With
 * augmentation more passes are needed.
 */
const regimeSpecs = (spec: RunSpecInput, { name }: Scale): RunSpec[] => {
  const epochs = spec.epochs ?? 40;
  const lengths = name === 'smoke' ? [2] : [epochs / 10, epochs / 4].map(Math.round);
  const changes = [
    ...lengths.map((length) => ({ epochs: length })),
    ...(name === 'mini' ? [{ augmentation: 'flip-crop' }] : []),
  ];
  return [{}, ...changes].flatMap((change) =>
    RIFLE_OR_NOT.map((method) => parseRunSpec(methods.apply(method, { ...spec, ...change }))),
  );
};

defineStudy({
  name: 't1',
  label: 'T1',
  title: 'Data sets and their splits',
  claim: 'The data on which everything below was measured.',
  methods: [],
  command: 'npx rifle data list',
  isBackground: true,
  isPresent: (records) => onTest(records).length > 0,
  table: (records, options) => datasetsTable(records, { ...options, remarks: [AUTHORS_DATA] }),
});

defineStudy({
  name: 'choice',
  title: 'Hyper-parameters of our own grid',
  claim: 'No claim: the values that the tricks take, chosen on a validation split of the first data set, one seed.',
  methods: withGrid().map(({ name }) => name),
  oneDataset: true,
  runsOf: triedSpecs,
  changes: { smoke: { epochs: 4 } },
  seeds: { smoke: [0], mini: [0], paper: [0] },
  isPresent: (records) => records.some(({ spec }) => spec.evaluateOn === 'validation'),
  table: choiceTable,
});

defineStudy({
  name: 't2',
  label: 'T2',
  title: 'Base regularisers, without and with RIFLE',
  claim: 'RIFLE raises accuracy over the base regularisers.',
  isOneClaim: true,
  methods: ['fine-tuning', 'rifle', 'l2-sp', 'l2-sp+rifle', 'delta', 'delta+rifle'],
  isPresent: has(isRegularized),
  table: regularizersTable,
  figures: forestOf('t2-forest', regularizersTable),
});

defineStudy({
  name: 't3',
  label: 'T3',
  title: 'Tricks under the same settings',
  claim: 'RIFLE beats the known tricks under the same settings.',
  isOneClaim: true,
  methods: [
    'fine-tuning',
    'dropout',
    'dropout-cnn',
    'dropconnect',
    'stochastic-depth',
    'disturb-label',
    'cyclic-lr',
    'rifle',
  ],
  seeds: ONE,
  isPresent: has((runs) => TRICKS.some((name) => usesTrick(name)(runs))),
  table: tricksTable,
  figures: forestOf('t3-forest', tricksTable),
});

defineStudy({
  name: 't4',
  label: 'T4',
  title: 'Architectures',
  claim: 'RIFLE raises accuracy across architectures.',
  isOneClaim: true,
  methods: RIFLE_OR_NOT,
  architectures: true,
  oneDataset: true,
  seeds: FEW,
  isPresent: hasTwoBackbones,
  table: architecturesTable,
  figures: forestOf('t4-forest', architecturesTable),
});

defineStudy({
  name: 't5',
  label: 'T5',
  title: 'Ablations',
  claim: 'The parts of RIFLE that matter: how often, at which rate, what is reset, and that it is a reset.',
  methods: [
    'fine-tuning',
    'rifle',
    'rifle:2-resets',
    'rifle:3-resets',
    'rifle:1-resets-cyclic',
    'rifle:2-resets-cyclic',
    'rifle:3-resets-cyclic',
    'rifle:weights',
    'rifle:bias',
    'rifle:momentum',
    'rifle:noise',
  ],
  oneDataset: true,
  changes: { smoke: { epochs: 4 } },
  seeds: FEW,
  isPresent: has(isAblation),
  table: ablationsTable,
});

defineStudy({
  name: 'variants',
  title: 'The four published variants of RIFLE',
  claim: 'The published variants differ; so may their results.',
  methods: ['fine-tuning', 'rifle', 'rifle:haozhe-an', 'rifle:paddle-transfer', 'rifle:rifle-module'],
  oneDataset: true,
  changes: { smoke: { epochs: 8 } },
  seeds: FEW,
  isPresent: has(isVariant),
  table: variantsTable,
});

defineStudy({
  name: 'f1',
  label: 'F1',
  title: 'How far each layer moves',
  claim: 'With RIFLE, deep (input-side) layers move further from the pretrained weights.',
  methods: RIFLE_OR_NOT,
  oneDataset: true,
  isPresent: hasLayers,
  figures: distanceFigures,
});

defineStudy({
  name: 'f2',
  label: 'F2',
  title: 'How far back-propagation reaches',
  claim: 'The reset deepens back-propagation.',
  methods: RIFLE_OR_NOT,
  oneDataset: true,
  isPresent: hasLayers,
  figures: gradientFigures,
});

defineStudy({
  name: 'regime',
  title: 'When a reset deepens back-propagation',
  claim: 'The gradients grow after a reset where training has converged before it.',
  methods: RIFLE_OR_NOT,
  oneDataset: true,
  runsOf: regimeSpecs,
  changes: { smoke: { epochs: 4 } },
  seeds: { smoke: [0], mini: [0, 1], desk: [0], paper: [0] },
  isPresent: (records, sources) => regimeFigures(basicRuns(records), sources).length > 0,
  figures: (records, options) => regimeFigures(basicRuns(records), options),
});

defineStudy({
  name: 'power',
  title: 'What these runs could show',
  claim:
    'No claim: the spread over seeds, the smallest effect that it lets these runs find, and the seeds to find more.',
  methods: [],
  command: 'npx rifle report --study power',
  table: (records, { layers }) => powerTable(basicRuns(records), { layers }),
});

defineStudy({
  name: 'f3',
  label: 'F3',
  title: 'The perturbation over training',
  claim: 'The perturbation is absorbed.',
  methods: RIFLE_OR_NOT,
  oneDataset: true,
  isPresent: (records) => basicRuns(records).some(({ status }) => status === 'finished'),
  table: (records) => recoveryTable(basicRuns(records)),
  figures: trainingFigures,
});

defineStudy({
  name: 'f4',
  label: 'F4',
  title: 'Low-level features',
  claim: 'Low-level features improve.',
  methods: RIFLE_OR_NOT,
  oneDataset: true,
  keepWeights: true,
  seeds: ONE,
  isPresent: (_, { lowLevel = [] }) => lowLevel.length > 0,
  figures: lowLevelFigures,
  analyse: analyseLowLevel,
});

defineStudy({
  name: 'f5',
  label: 'F5',
  title: 'Representations',
  claim: 'Representations move away from the pretrained ones.',
  methods: RIFLE_OR_NOT,
  oneDataset: true,
  keepWeights: true,
  seeds: ONE,
  isPresent: (_, { cka = [] }) => cka.length > 0,
  figures: ckaFigures,
  analyse: analyseRepresentations,
});
