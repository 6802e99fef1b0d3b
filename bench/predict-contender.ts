// Our side of `npm run bench -- predict`: a classifier in a process of its own, warm before the first timed round.
//   node predict-contender.js FOLDER CLASSES ROUNDS
import { backbones } from '../src/backbones/backbone';
import { Classifier } from '../src/predict/classifier';
import { CompiledNetwork } from '../src/predict/network';
import { cardOf } from '../src/runs/export/model-card';
import type { RunRecord } from '../src/runs/store/record';
import { parseRunSpec } from '../src/transfer/spec/spec';
import { PREDICT_BACKBONE, type PredictMeasurement } from './predict';

async function main(): Promise<void> {
  const [folder, classes, rounds] = process.argv.slice(2);
  const spec = parseRunSpec({ dataset: 'bench', backbone: PREDICT_BACKBONE });
  const names = Array.from({ length: Number(classes) }, (_, i) => String(i));
  const dataset = { name: 'bench', hash: '', classes: names, train: 0, test: 0 };
  const card = cardOf({ id: 'bench', method: 'none', spec, dataset, top1: NaN } as unknown as RunRecord);
  const backbone = await backbones.load(PREDICT_BACKBONE, { classes: names.length, seed: 0 });
  const model = new Classifier(card, new CompiledNetwork(card, backbone));
  const images = (await model.predict(folder, { top: 1 })).predictions.length;
  const seconds: number[] = [];
  for (let round = 0; round < Number(rounds); round++) {
    const began = performance.now();
    await model.predict(folder, { top: 1 });
    seconds.push((performance.now() - began) / 1000);
  }
  model.dispose();
  console.log(JSON.stringify({ versions: { node: process.version }, images, seconds } satisfies PredictMeasurement));
}

void main();
