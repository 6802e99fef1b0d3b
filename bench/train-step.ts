// The benchmark `train-step`: images per second and peak memory of a training step, ours beside each peer in turn,
// round by round.
import path from 'node:path';
import { KitError, unknownName } from '../src/base/errors';
import { Contender, type Command } from './contender';
import { isQuiet, othersNow, QUIET_SHARE } from './machine';
import { flopsOf, matrixRate, network, networks } from './networks';
import { peerFolder, pythonOf, type Peer } from './peers';
import { quantile, spread, type Spread } from './quantiles';
import { save, type Measured } from './results';
import { secondsText, spreadText, terminalTable, type TableContent } from './tables';

/** Options of the command. */
export interface TrainStepOptions {
  network: string[];
  batch: number[];
  contenders: string[];
  rounds: number;
  steps: number;
  precision: string;
  imageSize?: number;
  quick?: boolean;
  save?: boolean;
  json?: boolean;
}

/** Who takes the steps, and about how many seconds it takes to get ready, for the estimate. */
interface ContenderKind {
  title: string;
  ready: number;
  /** Not among the contenders that are measured by default. */
  onlyByName?: boolean;
  command(args: string[]): Command;
}

const node =
  (variant: string) =>
  (args: string[]): Command => ({
    command: process.execPath,
    args: [path.join(__dirname, 'train-step-contender.js'), variant, ...args],
  });
const python =
  (peer: Peer, program: string, variant: string, env?: Record<string, string>) =>
  (args: string[]): Command => ({
    command: pythonOf(peer),
    args: [path.join(peerFolder(), program), variant, ...args],
    env,
  });

/** Ours first: the others are compared with it. */
export const OURS = 'ours';

/** The contenders by name. */
export const contenders: Readonly<Record<string, ContenderKind>> = {
  [OURS]: { title: 'rifle-kit', ready: 6, command: node('compiled') },
  eager: { title: 'rifle-kit, eager', ready: 6, onlyByName: true, command: node('eager') },
  pytorch: { title: 'PyTorch, NCHW', ready: 6, command: python('pytorch', 'pytorch_step.py', 'nchw') },
  'pytorch-channels-last': {
    title: 'PyTorch, channels last',
    ready: 6,
    command: python('pytorch', 'pytorch_step.py', 'channels-last'),
  },
  'pytorch-compile': {
    title: 'PyTorch, torch.compile',
    ready: 120,
    command: python('pytorch', 'pytorch_step.py', 'compile'),
  },
  keras: {
    title: 'Keras, tf.function',
    ready: 25,
    command: python('tensorflow', 'keras_step.py', 'function', { TF_ENABLE_ONEDNN_OPTS: '1' }),
  },
  'keras-jit': {
    title: 'Keras, jit_compile',
    ready: 60,
    onlyByName: true,
    command: python('tensorflow', 'keras_step.py', 'jit', { TF_ENABLE_ONEDNN_OPTS: '1' }),
  },
  tfjs: { title: 'tfjs-layers', ready: 10, command: node('layers') },
};

/** What `--quick` measures. */
const QUICK = {
  network: ['resnet50', 'mobilenet_v2', 'efficientnet_b0', 'efficientnet_lite0'],
  batch: [8],
  contenders: [OURS, 'pytorch', 'pytorch-channels-last'],
};

/** What a contender gave. */
export interface ContenderResult {
  imagesPerSecond: Spread;
  /** Over the rounds of the pair: ours divided by this one. None of ours. */
  ratio?: Spread;
  /** MB, from the start on, what comes before the first step included; and over the timed steps alone. */
  peakMb: number;
  steadyPeakMb: number;
  /** Of a GPU, after the steps, MB; null without one. */
  gpuMb: number | null;
  /** The last loss: a sign of life. */
  loss: number;
}

/** A network at a batch size. */
export interface TrainStepResult extends Measured {
  network: string;
  imageSize: number;
  batchSize: number;
  precision: string;
  rounds: number;
  steps: number;
  /** Operations of a step for one image, and of a second of the machine's float32 matrix product. */
  flopsPerImage: number;
  matrixRate: number;
  contenders: Record<string, ContenderResult | { absent: string }>;
}

const WARM_UP = 2;

/** Measures, prints, and keeps the results where that is asked for. */
export async function trainStep(given: TrainStepOptions): Promise<void> {
  const options = given.quick ? { ...given, ...QUICK } : given;
  for (const name of options.contenders)
    if (!(name in contenders)) throw unknownName('contender', name, Object.keys(contenders));
  const peers = options.contenders.filter((name) => name !== OURS);
  const say = (line: string) => process.stderr.write(`${line}\n`);

  const rate = matrixRate();
  const cases = [];
  for (const name of options.network) {
    const imageSize = options.imageSize ?? network(name).imageSize;
    const { step } = await flopsOf(network(name).backbone, imageSize);
    for (const batchSize of options.batch) cases.push({ name, imageSize, batchSize, flopsPerImage: step });
  }
  const seconds = cases.reduce(
    (sum, { name, batchSize, flopsPerImage }) =>
      sum + estimate(peers, options, (batchSize * flopsPerImage) / (rate * networks[name].usualShare)),
    0,
  );
  say(
    `A product of matrices runs at ${(rate / 1e9).toFixed(0)} GFLOP/s here. ${cases.length} cases, about ${secondsText(seconds)}.`,
  );
  const others = await othersNow();
  if (!isQuiet(others))
    say(
      `Not quiet: others keep ${others?.toFixed(2) ?? 'an unknown number of'} cores busy (limit ${QUIET_SHARE}). The results will say so.`,
    );

  const results: TrainStepResult[] = [];
  for (const each of cases) {
    const result = await measure(each, peers, options, isQuiet(others), rate, say);
    results.push(result);
    if (!options.json) console.log(`\n${terminalTable(detail(result))}\n`);
  }
  if (options.json) console.log(JSON.stringify(results, null, 2));
  if (options.save)
    say(
      `Kept in ${await save('train-step', results, (r) => [r.network, r.imageSize, r.batchSize, r.precision].join(' '))}`,
    );
}

/** Seconds of a case whose step takes ours about `step`; a peer's is taken to be as long, tfjs's three times. */
function estimate(
  peers: string[],
  { rounds, steps }: Pick<TrainStepOptions, 'rounds' | 'steps'>,
  step: number,
): number {
  const taken = WARM_UP + rounds * steps;
  return (
    contenders[OURS].ready +
    peers.reduce((sum, name) => sum + contenders[name].ready + taken * step * (name === 'tfjs' ? 4 : 2), 0)
  );
}

interface Case {
  name: string;
  imageSize: number;
  batchSize: number;
  flopsPerImage: number;
}

async function measure(
  { name, imageSize, batchSize, flopsPerImage }: Case,
  peers: string[],
  { rounds, steps, precision }: TrainStepOptions,
  quietBefore: boolean,
  rate: number,
  say: (line: string) => void,
): Promise<TrainStepResult> {
  const { title } = network(name);
  const args = [name, String(batchSize), String(imageSize), precision];
  const shares: (number | null)[] = [];
  const result: TrainStepResult = {
    ...{
      network: name,
      imageSize,
      batchSize,
      precision,
      rounds,
      steps,
      flopsPerImage,
      matrixRate: rate,
      quiet: quietBefore,
    },
    versions: {},
    contenders: {},
  };
  const perSecond = async (contender: Contender): Promise<{ speed: number; loss: number }> => {
    const taken = await contender.take(steps);
    shares.push(taken.others);
    return { speed: (batchSize * steps) / taken.seconds, loss: taken.loss };
  };
  /** Starts a contender and has it take its first steps, which compile and allocate. */
  const begin = async (which: string): Promise<{ contender: Contender; peakMb: number } | null> => {
    say(`${title}, batch ${batchSize}: ${contenders[which].title} ...`);
    let contender: Contender | undefined;
    try {
      contender = await Contender.start(contenders[which].command(args));
      await contender.take(WARM_UP);
      Object.assign(result.versions, contender.versions);
      const peakMb = contender.peakMb();
      contender.resetPeak();
      return { contender, peakMb };
    } catch (error) {
      contender?.stop();
      if (!(error instanceof KitError)) throw error;
      result.contenders[which] = { absent: error.message };
      say(`  left out: ${error.message}${error.fix === '' ? '' : ` (${error.fix})`}`);
      return null;
    }
  };

  const ours = await begin(OURS);
  const ourSpeeds: number[] = [];
  let ourLoss = NaN;
  const takeOurs = async (): Promise<number> => {
    const { speed, loss } = await perSecond(ours!.contender);
    ourSpeeds.push(speed);
    ourLoss = loss;
    return speed;
  };
  try {
    for (const which of peers) {
      const peer = await begin(which);
      if (peer === null) continue;
      const [speeds, ratios] = [[] as number[], [] as number[]];
      let lastLoss = NaN;
      const takePeer = async (): Promise<number> => {
        const { speed, loss } = await perSecond(peer.contender);
        speeds.push(speed);
        lastLoss = loss;
        return speed;
      };
      try {
        for (let round = 0; round < rounds; round++) {
          // who goes first changes from round to round
          const first = ours !== null && round % 2 === 0 ? await takeOurs() : null;
          const theirs = await takePeer();
          if (ours !== null) ratios.push((first ?? (await takeOurs())) / theirs);
        }
        result.contenders[which] = {
          ...{ imagesPerSecond: spread(speeds), ratio: ours === null ? undefined : spread(ratios) },
          ...{
            peakMb: Math.max(peer.peakMb, peer.contender.peakMb()),
            steadyPeakMb: peer.contender.peakMb(),
            gpuMb: peer.contender.gpuMb(),
            loss: lastLoss,
          },
        };
      } finally {
        peer.contender.stop();
      }
    }
    if (ours !== null) {
      while (ourSpeeds.length < rounds) await takeOurs(); // there was no peer
      const steadyPeakMb = ours.contender.peakMb();
      const mine = {
        imagesPerSecond: spread(ourSpeeds),
        peakMb: Math.max(ours.peakMb, steadyPeakMb),
        steadyPeakMb,
        gpuMb: ours.contender.gpuMb(),
        loss: ourLoss,
      };
      result.contenders = { [OURS]: mine, ...result.contenders };
    }
  } finally {
    ours?.contender.stop();
  }
  // One disturbed round in four does not move a median.
  result.quiet &&= shares.every((share) => share !== null) && quantile(shares as number[], 0.75) < QUIET_SHARE;
  return result;
}

/** The table of one case. */
export function detail({
  network: name,
  imageSize,
  batchSize,
  precision,
  flopsPerImage,
  matrixRate: rate,
  quiet,
  contenders: all,
}: TrainStepResult): TableContent {
  const ours = all[OURS];
  return {
    head: [
      `${networks[name].title}, ${imageSize} px, batch ${batchSize}, ${precision}${quiet ? '' : ' (NOT QUIET)'}`,
      'images/s',
      'of the matrix rate',
      'ours is so many times as fast',
      'peak MB',
      'in the steps',
      'ours of it',
    ],
    rows: Object.entries(all).map(([which, each]) => {
      const title = contenders[which]?.title ?? which;
      if ('absent' in each) return [title, 'left out', '', '', '', '', ''];
      const memory =
        ours === undefined || 'absent' in ours || which === OURS ? '' : (ours.peakMb / each.peakMb).toFixed(2);
      const share =
        precision === 'float32' ? `${((100 * each.imagesPerSecond.median * flopsPerImage) / rate).toFixed(0)} %` : '';
      return [
        title,
        spreadText(each.imagesPerSecond),
        share,
        each.ratio ? spreadText(each.ratio) : '',
        each.peakMb.toFixed(0),
        each.steadyPeakMb.toFixed(0),
        memory,
      ];
    }),
  };
}

/** One line for each case, for a document: ours, and how many times as fast it is as each peer. */
export function overview(results: TrainStepResult[]): TableContent {
  const names = Object.keys(contenders).filter(
    (name) => name !== OURS && results.some((result) => name in result.contenders),
  );
  const shown = (which: string, { contenders: all }: TrainStepResult): string => {
    const each = all[which];
    return each === undefined || 'absent' in each || each.ratio === undefined ? '–' : spreadText(each.ratio);
  };
  return {
    head: [
      '',
      'images/s',
      'of the matrix rate',
      ...names.map((name) => `to ${contenders[name].title}`),
      'peak MB',
      'to PyTorch, channels last',
    ],
    rows: results.map((result) => {
      const { network: name, imageSize, batchSize, precision, flopsPerImage, matrixRate: rate } = result;
      const [ours, torch] = [result.contenders[OURS], result.contenders['pytorch-channels-last']];
      const title = `${networks[name]?.title ?? name}, ${imageSize} px, batch ${batchSize}${precision === 'float32' ? '' : `, ${precision}`}`;
      if (ours === undefined || 'absent' in ours) return [title, 'left out', '', ...names.map(() => ''), '', ''];
      const memory = torch === undefined || 'absent' in torch ? '–' : (ours.peakMb / torch.peakMb).toFixed(2);
      const share =
        precision === 'float32' ? `${((100 * ours.imagesPerSecond.median * flopsPerImage) / rate).toFixed(0)} %` : '';
      return [
        title,
        ours.imagesPerSecond.median.toFixed(1),
        share,
        ...names.map((each) => shown(each, result)),
        ours.peakMb.toFixed(0),
        memory,
      ];
    }),
  };
}
