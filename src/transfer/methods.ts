// The methods of the tables: names for parts of a spec. A new one is one record in this list.
import stableStringify from 'safe-stable-stringify';
import { unknownName } from '../base/errors';
import { presetSource, rifle, riflePresets } from './resets/rifle';
import type { RegularizerSpec, RunSpec, RunSpecInput, TrickSpec } from './spec';

/** The part of a spec that a method decides. */
export type MethodParts = Pick<RunSpec, 'regularizer' | 'trick' | 'rifle'>;

/** A method by name. */
export interface Method extends MethodParts {
  name: string;
  title: string;
  /** Paper, and where its hyper-parameters come from. */
  source: string;
  /**
   * Our own grid, the default first, where no source gives the hyper-parameters: what `chooseOnValidation` tries.
   * Empty: nothing is tried.
   */
  grid: Partial<MethodParts>[];
}

const AUTHORS = 'lixingjian/RIFLE, train.py and run.sh (commit ba10be2)';
const L2: RegularizerSpec = { name: 'l2' };
const NONE: TrickSpec = { name: 'none' };

/** A method without RIFLE; its twin with RIFLE is made from it. */
function plain(
  name: string,
  title: string,
  source: string,
  parts: Partial<MethodParts> = {},
  grid: Partial<MethodParts>[] = [],
): Method {
  return { name, title, source, regularizer: L2, trick: NONE, rifle: null, ...parts, grid };
}

/** A trick whose hyper-parameters come from our own grid; the first is the default. */
const trick = (name: string, title: string, paper: string, ...tried: TrickSpec[]): Method =>
  plain(
    name,
    title,
    `${paper}; rates: our own grid`,
    { trick: tried[0] },
    tried.map((choice) => ({ trick: choice })),
  );

/** A regulariser likewise. */
const regularizer = (name: string, title: string, source: string, ...tried: RegularizerSpec[]): Method =>
  plain(
    name,
    title,
    source,
    { regularizer: tried[0] },
    tried.length > 1 ? tried.map((choice) => ({ regularizer: choice })) : [],
  );

const PLAIN: readonly Method[] = [
  plain('fine-tuning', 'Fine-tuning (L2)', AUTHORS),
  regularizer('l2-sp', 'L2-SP', `Li, Grandvalet, Davoine, ICML 2018; ${AUTHORS}`, {
    name: 'l2-sp',
    alpha: 0.01,
    beta: 1e-4,
  }),
  regularizer(
    'delta',
    'DELTA',
    'Li et al., ICLR 2019; beta from lixingjian/DELTA, alpha: our own grid',
    { name: 'delta', alpha: 0.001, beta: 0.01 },
    { name: 'delta', alpha: 0.01, beta: 0.01 },
    { name: 'delta', alpha: 0.1, beta: 0.01 },
  ),
  regularizer('bss', 'BSS', "Chen et al., NeurIPS 2019; eta 0.001 from lixingjian/SMILE, k 1 the paper's", {
    name: 'bss',
    eta: 1e-3,
    k: 1,
  }),
  trick(
    'dropout',
    'Dropout (head)',
    'Srivastava et al., JMLR 2014',
    { name: 'dropout', rate: 0.2, at: 'head' },
    { name: 'dropout', rate: 0.5, at: 'head' },
  ),
  trick(
    'dropout-cnn',
    'Dropout (CNN)',
    'Srivastava et al., JMLR 2014',
    { name: 'dropout', rate: 0.02, at: 'stages' },
    { name: 'dropout', rate: 0.05, at: 'stages' },
    { name: 'dropout', rate: 0.1, at: 'stages' },
  ),
  trick(
    'dropconnect',
    'DropConnect',
    'Wan et al., ICML 2013',
    { name: 'dropconnect', rate: 0.2, unit: 'weight' },
    { name: 'dropconnect', rate: 0.5, unit: 'weight' },
  ),
  plain(
    'dropconnect-sample',
    'DropConnect, whole samples',
    "a class of the authors' code that nothing there uses; rate: ours",
    { trick: { name: 'dropconnect', rate: 0.2, unit: 'sample' } },
  ),
  trick(
    'stochastic-depth',
    'Stochastic Depth',
    'Huang et al., ECCV 2016',
    { name: 'stochastic-depth', survival: 0.8 },
    { name: 'stochastic-depth', survival: 0.5 },
  ),
  trick(
    'disturb-label',
    'Disturb Label',
    'Xie et al., CVPR 2016',
    { name: 'disturb-label', rate: 0.2 },
    { name: 'disturb-label', rate: 0.1 },
  ),
  trick(
    'cyclic-lr',
    'Cyclic LR',
    'Loshchilov and Hutter, ICLR 2017',
    { name: 'cyclic-lr', cycles: 2 },
    { name: 'cyclic-lr', cycles: 4 },
  ),
];

const withRifle = ({ name, title, source, ...parts }: Method): Method => {
  const isBase = name === 'fine-tuning';
  return {
    ...parts,
    name: isBase ? 'rifle' : `${name}+rifle`,
    title: isBase ? 'RIFLE (L2)' : `RIFLE (${title})`,
    source: isBase ? AUTHORS : `${source}; ${AUTHORS}`,
    rifle: rifle('authors'),
    grid: [],
  };
};

/** A variant of RIFLE for the ablations: one choice of the authors' changed. */
const ablation = (name: string, title: string, changes: Parameters<typeof rifle>[1]): Method =>
  plain(`rifle:${name}`, title, 'an ablation of ours', { rifle: rifle('authors', changes) });

const ALL: readonly Method[] = [
  ...PLAIN.flatMap((method) => [method, withRifle(method)]),
  ...riflePresets
    .filter((preset) => preset !== 'authors')
    .map((preset) =>
      plain(`rifle:${preset}`, `RIFLE, variant ${preset}`, presetSource(preset), { rifle: rifle(preset) }),
    ),
  ...[1, 2, 3].flatMap((count) => [
    ...(count === 1
      ? []
      : [ablation(`${count}-resets`, `RIFLE, ${count} re-initialisations`, { reinitializations: count })]),
    ablation(`${count}-resets-cyclic`, `RIFLE, ${count} re-initialisation${count === 1 ? '' : 's'}, cyclic head rate`, {
      reinitializations: count,
      headLearningRate: 'cyclic',
    }),
  ]),
  ablation('weights', 'RIFLE, weights alone', { resetBias: false }),
  ablation('bias', 'RIFLE, bias alone', { resetWeights: false }),
  ablation('momentum', 'RIFLE, momentum cleared', { clearMomentum: true }),
  ablation('noise', 'Noise added to the head', { draw: 'add' }),
];

/** The methods that the tables compare. */
export const methods = {
  /** All of them, in the order of the tables. */
  list: (): readonly Method[] => ALL,

  /** @throws KitError with the near names for one that is not known. */
  get(name: string): Method {
    const method = ALL.find((candidate) => candidate.name === name);
    if (method === undefined)
      throw unknownName(
        'method',
        name,
        ALL.map((m) => m.name),
      );
    return method;
  },

  /** `spec` with what the method decides. */
  apply(name: string, spec: RunSpecInput): RunSpecInput {
    const { regularizer, trick, rifle: choices } = methods.get(name);
    return { ...spec, regularizer, trick, rifle: choices };
  },

  /**
   * The name under which a run of `spec` stands in the tables: that of the method in the list, else one made of its
   * parts.
   */
  nameOf({ regularizer, trick, rifle: choices }: MethodParts): string {
    const decided = (parts: MethodParts) => stableStringify([parts.regularizer, parts.trick, parts.rifle]);
    const known = ALL.find((method) => decided(method) === decided({ regularizer, trick, rifle: choices }));
    if (known !== undefined) return known.name;
    const parts = [
      ...(regularizer.name === 'l2' ? [] : [`${regularizer.name}:custom`]),
      ...(trick.name === 'none' ? [] : [`${trick.name}:custom`]),
      ...(choices === null ? [] : [`rifle:${choices.preset === 'authors' ? 'custom' : choices.preset}`]),
    ];
    return parts.join('+');
  },
};
