// Prediction on photographs, from files to classes: ours beside a PyTorch program that does the same.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { backbones } from '../src/backbones/backbone';
import { requireWeights } from '../src/backbones/weights/store';
import { KitError } from '../src/base/errors';
import { EVALUATION_BATCH } from '../src/data/batches/batches';
import { listImages } from '../src/predict/images';
import { makePhotographs } from './data';
import { peerFolder, pythonOf } from './peers';
import { timedJson } from './timed';

/** The network of both programs. */
export const PREDICT_BACKBONE = 'efficientnet_lite0.tf_in1k';

/** What a program prints. */
export interface PredictMeasurement {
  versions: Record<string, string>;
  images: number;
  /** Of each round. */
  seconds: number[];
}

/** Options of the command. */
export interface PredictBenchOptions {
  folder?: string;
  images: number;
  rounds: number;
  json?: boolean;
}

const CLASSES = 100;
const LAYOUTS = ['contiguous', 'channels-last'] as const;

/** Measures every program and prints images a second of its fastest round, and ours over PyTorch's faster layout. */
export async function predictBench({ folder, images, rounds, json }: PredictBenchOptions): Promise<void> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-bench-predict-'));
  try {
    const photographs = path.join(root, 'photographs');
    fs.mkdirSync(photographs);
    if (folder === undefined) await makePhotographs(photographs, images);
    else linkSome(folder, images, photographs);
    const python = pythonOf('pytorch');
    const { inputSize, resizeSize, weights: manifest } = backbones.get(PREDICT_BACKBONE);
    if (manifest === null || !('package' in manifest))
      throw new KitError(`${PREDICT_BACKBONE} has no weights file in a registry`, { code: 'BENCH_PREDICT' });
    const weights = await requireWeights(manifest, {});
    const sizes = [CLASSES, inputSize, resizeSize, EVALUATION_BATCH, rounds].map(String);
    const results: Record<string, PredictMeasurement & { others: number | null }> = {};
    const measure = async (name: string, command: string, args: string[]): Promise<void> => {
      const { printed, others } = await timedJson<PredictMeasurement>({ command, args });
      results[name] = { ...printed, others };
    };
    const ours = path.join(__dirname, 'predict-contender.js');
    await measure('rifle-kit', process.execPath, [ours, photographs, String(CLASSES), String(rounds)]);
    const theirs = path.join(peerFolder(), 'pytorch_predict.py');
    for (const layout of LAYOUTS)
      await measure(`PyTorch, ${layout}`, python, [theirs, root, weights, ...sizes, layout]);
    const paces = Object.fromEntries(
      Object.entries(results).map(([name, { images: n, seconds }]) => [name, n / Math.min(...seconds)]),
    );
    const ratio = paces['rifle-kit'] / Math.max(...LAYOUTS.map((layout) => paces[`PyTorch, ${layout}`]));
    if (json)
      return console.log(JSON.stringify({ benchmark: 'predict', load: os.loadavg()[0], results, ratio }, null, 2));
    for (const [name, pace] of Object.entries(paces)) {
      const { others } = results[name];
      const busy = others === null ? '' : ` (others kept ${others.toFixed(1)} cores busy)`;
      console.log(`${name}: ${pace.toFixed(1)} images a second${busy}`);
    }
    console.log(`Ours over the faster of PyTorch's: ${ratio.toFixed(2)}`);
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
}

/** Links `count` images below `folder`, evenly spaced in the order of their names, into `target`. */
function linkSome(folder: string, count: number, target: string): void {
  const all = listImages(folder);
  const step = Math.max(1, all.length / count);
  for (let i = 0; i < Math.min(count, all.length); i++) {
    const file = path.resolve(all[Math.floor(i * step)].name);
    fs.symlinkSync(file, path.join(target, `${String(i).padStart(5, '0')}${path.extname(file)}`));
  }
}
