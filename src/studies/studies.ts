// The studies of the kit: for each claim of the paper (see README) which runs test it, at each scale.
import path from 'node:path';
import { unknownName } from '../base/errors';
import { methods } from '../transfer/methods';
import { parseRunSpec, type RunSpec, type RunSpecInput } from '../transfer/spec';
import { scale as scaleOf, type ScaleName } from './scales';

/** A study: a claim, and the grid of runs that tests it. */
export interface Study {
  /** `t2` to `t5` for tables, `f1` to `f5` for figures, `variants`, `choice`. */
  name: string;
  title: string;
  /** The claim in a sentence. */
  claim: string;
  methods: readonly string[];
  /** Whether it looks at several backbones. */
  architectures?: boolean;
  /** Whether it looks at one data set alone. */
  oneDataset?: boolean;
  /** What its runs are given besides the scale's spec. */
  changes?: Partial<Record<ScaleName, Partial<RunSpecInput>>>;
  seeds?: Partial<Record<ScaleName, readonly number[]>>;
  /** Whether it tries the values of the methods' own grids, on a validation split. */
  tried?: boolean;
  /** Whether the analysis needs the final weights. */
  keepWeights?: boolean;
}

const RIFLE_OR_NOT = ['fine-tuning', 'rifle'];
/** The costly grids take fewer seeds. */
const few = { smoke: [0], mini: [0, 1] } as const;
const one = { smoke: [0] } as const;

/** The studies, in the order of the tables and figures. */
const ALL: readonly Study[] = [
  {
    name: 'choice',
    title: 'Hyper-parameters of our own grid',
    claim: 'Not a claim: which values the tricks take, chosen on a validation split of the first data set, one seed.',
    methods: methods
      .list()
      .filter(({ grid }) => grid.length > 0)
      .map(({ name }) => name),
    oneDataset: true,
    tried: true,
    changes: { smoke: { epochs: 4 } },
    seeds: { smoke: [0], mini: [0], paper: [0] },
  },
  {
    name: 't2',
    title: 'Base regularisers, without and with RIFLE',
    claim: 'RIFLE raises accuracy over the base regularisers.',
    methods: ['fine-tuning', 'rifle', 'l2-sp', 'l2-sp+rifle', 'delta', 'delta+rifle'],
  },
  {
    name: 't3',
    title: 'Tricks under the same settings',
    claim: 'RIFLE beats the known tricks under the same settings.',
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
    seeds: one,
  },
  {
    name: 't4',
    title: 'Architectures',
    claim: 'It holds across architectures.',
    methods: RIFLE_OR_NOT,
    architectures: true,
    oneDataset: true,
    seeds: few,
  },
  {
    name: 't5',
    title: 'Ablations',
    claim: 'What of RIFLE matters: how often, at which rate, what is reset, and that it is a reset.',
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
    seeds: few,
  },
  {
    name: 'variants',
    title: 'The four published variants of RIFLE',
    claim: 'The published variants differ; so may their results.',
    methods: ['fine-tuning', 'rifle', 'rifle:haozhe-an', 'rifle:paddle-transfer', 'rifle:rifle-module'],
    oneDataset: true,
    changes: { smoke: { epochs: 8 } },
    seeds: few,
  },
  {
    name: 'f1',
    title: 'How far each layer moves',
    claim: 'With RIFLE, deep (input-side) layers move further from the pretrained weights.',
    methods: RIFLE_OR_NOT,
    oneDataset: true,
  },
  {
    name: 'f2',
    title: 'How far back-propagation reaches',
    claim: 'The reset deepens back-propagation.',
    methods: RIFLE_OR_NOT,
    oneDataset: true,
  },
  {
    name: 'f3',
    title: 'The perturbation over training',
    claim: 'The perturbation is absorbed.',
    methods: RIFLE_OR_NOT,
    oneDataset: true,
  },
  {
    name: 'f4',
    title: 'Low-level features',
    claim: 'Low-level features improve.',
    methods: RIFLE_OR_NOT,
    oneDataset: true,
    keepWeights: true,
    seeds: one,
  },
  {
    name: 'f5',
    title: 'Representations',
    claim: 'Representations move away from the pretrained ones.',
    methods: RIFLE_OR_NOT,
    oneDataset: true,
    keepWeights: true,
    seeds: one,
  },
];

/** Data sets by scale: the one that a registry holds, and those that the authors' repository names. */
const DATASETS: Record<ScaleName, readonly string[]> = {
  smoke: ['elpv'],
  mini: ['elpv'],
  paper: ['cub-200-2011', 'stanford-dogs', 'stanford-cars', 'food-101-30', 'dtd'],
};

/** Backbones of the study of architectures by scale; the first is that of all other studies. */
const ARCHITECTURES: Record<ScaleName, readonly string[]> = {
  smoke: ['efficientnet_lite0.tf_in1k', 'mobilenet_v1.tf_in1k'],
  // a ResNet-50 takes about six times as long
  mini: ['efficientnet_lite0.tf_in1k', 'efficientnet_lite2.tf_in1k', 'mobilenet_v1.tf_in1k'],
  paper: [
    'resnet50.tv_in1k',
    'inception_v3.tv_in1k',
    'densenet169.tv_in1k',
    'mobilenet_v2.tv_in1k',
    'efficientnet_b3.tv_in1k',
  ],
};

/** Image folders that the user adds, in RIFLE_DATA as in PATH; at `mini` alone. */
const foldersOf = (scale: ScaleName): string[] =>
  scale === 'mini' ? (process.env.RIFLE_DATA ?? '').split(path.delimiter).filter(Boolean) : [];

/**
 * A run for every value in the grid of every method (or of the first so many), judged on images taken out of training:
 * never on the test images.
 */
const triedSpecs = (spec: RunSpecInput, most: number): RunSpec[] =>
  methods
    .list()
    .filter(({ grid }) => grid.length > 0)
    .slice(0, most)
    .flatMap(({ name, grid }) =>
      grid.map((tried) => parseRunSpec({ ...methods.apply(name, spec), ...tried, evaluateOn: 'validation' })),
    );

/** What `studies.specs` needs to know of the world. */
export interface StudyOptions {
  /** Default: the environment variable RIFLE_SCALE, or `smoke`. */
  scale?: string;
  /** Default: those of the scale, and the image folders named in the environment variable RIFLE_DATA. */
  datasets?: readonly string[];
  seeds?: readonly number[];
}

/** The studies by name. */
export const studies = {
  list: (): readonly Study[] => ALL,

  /** @throws KitError with the near names for one that is not known. */
  get(name: string): Study {
    const study = ALL.find((candidate) => candidate.name === name);
    if (study === undefined)
      throw unknownName(
        'study',
        name,
        ALL.map((s) => s.name),
      );
    return study;
  },

  /** The runs of a study, seed by seed, so that a table of pairs fills early. */
  specs(name: string, options: StudyOptions = {}): RunSpec[] {
    const study = studies.get(name);
    const chosen = scaleOf(options.scale);
    const all = options.datasets ?? [...DATASETS[chosen.name], ...foldersOf(chosen.name)];
    const datasets = study.oneDataset ? all.slice(0, 1) : all;
    const backbones = study.architectures ? ARCHITECTURES[chosen.name] : ARCHITECTURES[chosen.name].slice(0, 1);
    const seeds = options.seeds ?? study.seeds?.[chosen.name] ?? chosen.seeds;
    return seeds.flatMap((seed) =>
      datasets.flatMap((dataset) =>
        backbones.flatMap((backbone) => {
          const spec = {
            ...chosen.spec,
            ...study.changes?.[chosen.name],
            dataset,
            backbone,
            seed,
            ...(dataset === chosen.spec.dataset ? {} : { limits: chosen.folderLimits }),
          };
          return study.tried
            ? triedSpecs(spec, chosen.name === 'smoke' ? 1 : Infinity)
            : study.methods.map((method) => parseRunSpec(methods.apply(method, spec)));
        }),
      ),
    );
  },

  /** The command that makes the runs of a study. */
  command: (name: string, scale: string): string => `npx rifle sweep --study ${name} --scale ${scale}`,
};
