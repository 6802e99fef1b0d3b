// The benchmark `end-to-end`: a whole experiment, two methods over seeds, ours cold and warm beside a PyTorch program,
// round by round.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { backbones } from '../src/backbones/backbone';
import { datasets } from '../src/data/catalog';
import type { Dataset } from '../src/data/dataset';
import { KitError } from '../src/base/errors';
import { selectImages } from '../src/runs/selected-images';
import { EVALUATION_BATCH } from '../src/data/batches/batches';
import { plan, type Grid } from '../src/studies/plan';
import { timetable } from '../src/transfer/resets/reset';
import type { RunSpec } from '../src/transfer/spec/spec';
import { requireWeights } from '../src/backbones/weights/store';
import type { ExperimentResult } from './end-to-end-contender';
import { isQuiet, othersNow } from './machine';
import { peerFolder, pythonOf } from './peers';
import { spread, type Spread } from './quantiles';
import { save, type Measured } from './results';
import { withScratchHome } from './scratch-home';
import { secondsText, spreadText, terminalTable, type TableContent } from './tables';
import { timedJson, type Timed } from './timed';

/** Options of the command. */
export interface EndToEndOptions {
  dataset: string;
  epochs: number;
  seeds: number;
  rounds: number;
  save?: boolean;
  json?: boolean;
}

/** A data set's experiment. */
export interface EndToEndResult extends Measured {
  /** Name in the catalog, or `folder`. */
  dataset: string;
  images: { train: number; test: number };
  spec: Pick<RunSpec, 'backbone' | 'imageSize' | 'batchSize' | 'epochs'>;
  methods: string[];
  seeds: number;
  rounds: number;
  /**
   * Seconds of the whole program, its start included: `cold` with nothing made before (data unpacked, pixels and
   * graphs), `warm` afterwards.
   */
  seconds: { cold: Spread; warm: Spread; pytorch: Spread | null };
  /** PyTorch's seconds divided by ours, over the rounds. */
  ratio: { cold: Spread; warm: Spread } | null;
  /** By method: test top-1 of each seed. */
  accuracy: { ours: Record<string, number[]>; pytorch: Record<string, number[]> | null };
  /** Why PyTorch is left out; null when it is not. */
  absent: string | null;
}

/** The experiment that is timed: 40 images a class with the authors' augmentation, as the PyTorch program does it. */
const EXPERIMENT = {
  spec: {
    dataset: 'elpv',
    backbone: 'efficientnet_lite0.tf_in1k',
    imageSize: 96,
    epochs: 40,
    batchSize: 16,
    limits: { trainPerClass: 40, testPerClass: 50 },
  },
  folderLimits: { trainPerClass: 16, testPerClass: 20 },
  methods: ['fine-tuning', 'rifle'],
};

/** Measures, prints, and keeps the result where that is asked for. */
export async function endToEnd({
  dataset: name,
  epochs,
  seeds,
  rounds,
  save: keep,
  json,
}: EndToEndOptions): Promise<void> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const { spec, methods, folderLimits } = EXPERIMENT;
  const isFolder = fs.existsSync(name);
  const grid: Grid = {
    spec: {
      ...spec,
      dataset: isFolder ? path.resolve(name) : name,
      epochs,
      ...(isFolder ? { limits: folderLimits } : {}),
    },
    methods,
    seeds: Array.from({ length: seeds }, (_, seed) => seed),
  };
  const specs = plan(grid);
  const dataset = selectImages(await datasets.load(grid.spec.dataset), specs[0]);
  const others = await othersNow();
  if (!isQuiet(others)) say('Not quiet: others work on this machine. The result will say so.');
  const shares = [others];

  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-bench-experiment-'));
  try {
    let pytorch = await pytorchProgram(folder, dataset, specs);
    const [cold, warm, theirs]: (Timed & { printed: ExperimentResult })[][] = [[], [], []];
    const began = performance.now();
    for (let round = 0; round < rounds; round++) {
      const left =
        round === 0
          ? ''
          : `, about ${secondsText(((performance.now() - began) / 1000 / round) * (rounds - round))} left`;
      say(`round ${round + 1} of ${rounds}, ${specs.length} runs of ${epochs} epochs each time${left}`);
      // What is fetched once for all is there: weights, and the packages that data sets come in. Unpacking them is part
      // of the cold run.
      await withScratchHome(isFolder ? ['weights'] : ['weights', 'cache'], async (home) => {
        const ours = (runs: string) =>
          timedJson<ExperimentResult>({
            command: process.execPath,
            args: [
              path.join(__dirname, 'end-to-end-contender.js'),
              JSON.stringify({ grid, runs: path.join(home, runs) }),
            ],
            env: { RIFLE_HOME: home },
          });
        cold.push(await ours('runs-cold'));
        say(`  rifle-kit, cold: ${cold.at(-1)!.seconds.toFixed(1)} s`);
        warm.push(await ours('runs-warm'));
        say(`  rifle-kit, warm: ${warm.at(-1)!.seconds.toFixed(1)} s`);
      });
      if (pytorch.command === null) continue;
      try {
        theirs.push(await timedJson<ExperimentResult>(pytorch.command));
        say(`  PyTorch: ${theirs.at(-1)!.seconds.toFixed(1)} s`);
      } catch (error) {
        if (!(error instanceof KitError)) throw error;
        pytorch = { command: null, absent: error.message };
        theirs.length = 0; // rounds without it have no ratio
        say(`  PyTorch is left out: ${error.message}`);
      }
    }
    shares.push(...[...cold, ...warm, ...theirs].map((each) => each.others));
    const seconds = (of: Timed[]) => of.map((each) => each.seconds);
    const ratio = (of: Timed[]) => spread(of.map((each, i) => theirs[i].seconds / each.seconds));
    const result: EndToEndResult = {
      ...{
        dataset: isFolder ? 'folder' : name,
        images: { train: dataset.train.length, test: dataset.test.length },
        methods: [...methods],
        seeds,
        rounds,
      },
      spec: { backbone: specs[0].backbone, imageSize: specs[0].imageSize, batchSize: specs[0].batchSize, epochs },
      seconds: {
        cold: spread(seconds(cold)),
        warm: spread(seconds(warm)),
        pytorch: theirs.length > 0 ? spread(seconds(theirs)) : null,
      },
      ratio: theirs.length > 0 ? { cold: ratio(cold), warm: ratio(warm) } : null,
      accuracy: { ours: byMethod(warm[0].printed), pytorch: theirs.length > 0 ? byMethod(theirs[0].printed) : null },
      absent: pytorch.absent,
      versions: { ...warm[0].printed.versions, ...theirs[0]?.printed.versions },
      quiet: shares.every(isQuiet),
    };
    if (json) console.log(JSON.stringify(result, null, 2));
    else
      console.log(
        `${terminalTable(endToEndTable([result]))}${result.absent === null ? '' : `\nPyTorch is left out: ${result.absent}`}`,
      );
    if (keep)
      say(
        `Kept in ${await save('end-to-end', [result], (r) => [r.dataset, r.images.train, r.spec.epochs, r.seeds].join(' '))}`,
      );
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** PyTorch's program and its plan, on a folder of links to the very images of our runs; or why there is none. */
async function pytorchProgram(
  folder: string,
  dataset: Dataset,
  specs: RunSpec[],
): Promise<{ command: { command: string; args: string[] } | null; absent: string | null }> {
  try {
    const { backbone, imageSize, batchSize, optimizer } = specs[0];
    const { inputSize, resizeSize, weights } = backbones.get(backbone);
    if (weights === null || !('package' in weights))
      throw new KitError(`${backbone} has no weights file in a registry`, { code: 'BENCH_END_TO_END' });
    for (const part of ['train', 'test'] as const) {
      for (const [i, { file, label }] of dataset[part].entries()) {
        const place = path.join(folder, part, String(label).padStart(4, '0'));
        fs.mkdirSync(place, { recursive: true });
        fs.symlinkSync(
          path.join(dataset.root, file),
          path.join(place, `${String(i).padStart(6, '0')}${path.extname(file)}`),
        );
      }
    }
    const settings = {
      data: folder,
      weights: await requireWeights(weights, {}),
      imageSize,
      resizeSize: Math.round((imageSize! * resizeSize) / inputSize),
      batchSize,
      testBatchSize: EVALUATION_BATCH,
      ...optimizer,
    };
    const runs = specs.map((spec) => ({
      method: spec.reset === null ? 'fine-tuning' : 'rifle',
      seed: spec.seed,
      ...timetable(spec),
    }));
    const file = path.join(folder, 'plan.json');
    fs.writeFileSync(file, JSON.stringify({ ...settings, runs }));
    return {
      command: { command: pythonOf('pytorch'), args: [path.join(peerFolder(), 'pytorch_experiment.py'), file] },
      absent: null,
    };
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    return { command: null, absent: `${error.message}${error.fix === '' ? '' : `: ${error.fix}`}` };
  }
}

function byMethod({ results }: ExperimentResult): Record<string, number[]> {
  const accuracies: Record<string, number[]> = {};
  for (const { method, top1 } of results) (accuracies[method] ??= []).push(top1);
  return accuracies;
}

/** A line for each experiment. */
export function endToEndTable(results: EndToEndResult[]): TableContent {
  const accuracies = (of: Record<string, number[]> | null): string =>
    of === null
      ? '–'
      : Object.entries(of)
          .map(([method, values]) => `${method} ${values.map((value) => (100 * value).toFixed(1)).join(' ')}`)
          .join('; ');
  return {
    head: ['', 'cold', 'warm', 'PyTorch', 'PyTorch / cold', 'PyTorch / warm', 'top-1 (%), ours', 'top-1 (%), PyTorch'],
    rows: results.map(({ dataset, images, methods, seeds, spec, seconds, ratio, accuracy, quiet }) => [
      `${dataset}, ${images.train} images at ${spec.imageSize} px, ${methods.length} x ${seeds} runs of ${spec.epochs} epochs${quiet ? '' : ' (NOT QUIET)'}`,
      ...[seconds.cold, seconds.warm, seconds.pytorch].map((each) =>
        each === null ? '–' : `${spreadText(each, 1)} s`,
      ),
      ...[ratio?.cold, ratio?.warm].map((each) => (each === undefined ? '–' : spreadText(each))),
      ...[accuracy.ours, accuracy.pytorch].map(accuracies),
    ]),
  };
}
