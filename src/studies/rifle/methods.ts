// The methods of the RIFLE paper's tables, and the ablations. A new one is one definition in this file.
import {
  bss,
  cyclicLr,
  defineMethod,
  delta,
  disturbLabel,
  dropConnect,
  dropout,
  l2sp,
  rifle,
  rifleSource,
  stochasticDepth,
  type MethodInput,
} from '../../extend';
import { COLORS } from './colors';

const AUTHORS = 'lixingjian/RIFLE, train.py and run.sh (commit ba10be2)';

/** Methods without RIFLE, in the order of the tables. The first value of a grid is the default. */
const PLAIN: readonly MethodInput[] = [
  { name: 'fine-tuning', title: 'Fine-tuning (L2)', source: AUTHORS },
  {
    name: 'l2-sp',
    title: 'L2-SP',
    source: `Li, Grandvalet, Davoine, ICML 2018; ${AUTHORS}`,
    regularizers: [l2sp({ alpha: 0.01, beta: 1e-4 })],
  },
  {
    name: 'delta',
    title: 'DELTA',
    source: 'Li et al., ICLR 2019; beta from lixingjian/DELTA, alpha: our own grid',
    grid: [0.001, 0.01, 0.1].map((alpha) => ({ regularizers: [delta({ alpha, beta: 0.01 })] })),
  },
  {
    name: 'bss',
    title: 'BSS',
    source: "Chen et al., NeurIPS 2019; eta 0.001 from lixingjian/SMILE, k 1 the paper's",
    regularizers: [bss({ eta: 1e-3, k: 1 })],
  },
  {
    name: 'dropout',
    title: 'Dropout (head)',
    source: 'Srivastava et al., JMLR 2014; rates: our own grid',
    grid: [0.2, 0.5].map((rate) => ({ tricks: [dropout({ rate, at: 'head' })] })),
  },
  {
    name: 'dropout-cnn',
    title: 'Dropout (CNN)',
    source: 'Srivastava et al., JMLR 2014; rates: our own grid',
    grid: [0.02, 0.05, 0.1].map((rate) => ({ tricks: [dropout({ rate, at: 'stages' })] })),
  },
  {
    name: 'dropconnect',
    title: 'DropConnect',
    source: 'Wan et al., ICML 2013; rates: our own grid',
    grid: [0.2, 0.5].map((rate) => ({ tricks: [dropConnect({ rate, unit: 'weight' })] })),
  },
  {
    name: 'dropconnect-sample',
    title: 'DropConnect, whole samples',
    source: "a class of the authors' code that nothing there uses; rate: ours",
    tricks: [dropConnect({ rate: 0.2, unit: 'sample' })],
  },
  {
    name: 'stochastic-depth',
    title: 'Stochastic Depth',
    source: 'Huang et al., ECCV 2016; rates: our own grid',
    grid: [0.8, 0.5].map((survival) => ({ tricks: [stochasticDepth({ survival })] })),
  },
  {
    name: 'disturb-label',
    title: 'Disturb Label',
    source: 'Xie et al., CVPR 2016; rates: our own grid',
    grid: [0.2, 0.1].map((rate) => ({ tricks: [disturbLabel({ rate })] })),
  },
  {
    name: 'cyclic-lr',
    title: 'Cyclic LR',
    source: 'Loshchilov and Hutter, ICLR 2017; rates: our own grid',
    grid: [2, 4].map((cycles) => ({ tricks: [cyclicLr({ cycles })] })),
  },
];

const define = (input: MethodInput): unknown => defineMethod({ ...input, colour: COLORS[input.name] });

for (const method of PLAIN) {
  const { name, title, source } = method;
  const isBase = name === 'fine-tuning';
  const parts = { ...method, ...method.grid?.[0] };
  define(parts);
  define({
    ...parts,
    name: isBase ? 'rifle' : `${name}+rifle`,
    title: isBase ? 'RIFLE (L2)' : `RIFLE (${title})`,
    source: isBase ? AUTHORS : `${source}; ${AUTHORS}`,
    reset: rifle('authors'),
    control: name,
    grid: [],
  });
}

for (const preset of ['haozhe-an', 'paddle-transfer', 'rifle-module'])
  define({
    name: `rifle:${preset}`,
    title: `RIFLE, variant ${preset}`,
    source: rifleSource(preset),
    reset: rifle(preset),
    control: 'fine-tuning',
  });

/** A variant of RIFLE for the ablations: one choice of the authors' changed. */
const ablation = (name: string, title: string, changes: Parameters<typeof rifle>[1]): unknown =>
  define({
    name: `rifle:${name}`,
    title,
    source: 'an ablation of ours',
    reset: rifle('authors', changes),
    control: 'fine-tuning',
  });

for (const count of [1, 2, 3]) {
  const times = `RIFLE, ${count} re-initialisation${count === 1 ? '' : 's'}`;
  if (count > 1) ablation(`${count}-resets`, times, { reinitializations: count });
  ablation(`${count}-resets-cyclic`, `${times}, cyclic head rate`, {
    reinitializations: count,
    headLearningRate: 'cyclic',
  });
}
ablation('weights', 'RIFLE, weights alone', { resetBias: false });
ablation('bias', 'RIFLE, bias alone', { resetWeights: false });
ablation('momentum', 'RIFLE, momentum cleared', { clearMomentum: true });
ablation('noise', 'Noise added to the head', { draw: 'add' });
