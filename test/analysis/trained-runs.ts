// Runs as training would leave them, made by hand: random networks as the start, and the same with chosen parameters
// moved as the end.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TrainedRun } from '../../src/analysis/trained-runs';
import { backbones } from '../../src/backbones/backbone';
import { stateDictOf } from '../../src/backbones/snapshot';
import { writeSafetensors } from '../../src/backbones/weights/readers/safetensors';
import { datasets } from '../../src/data/catalog';
import { randomStream } from '../../src/base/random';
import { syntheticRecord } from '../report/records';
import { makeImageFolder } from '../runs/image-folder';

export const LITE0 = 'efficientnet_lite0.tf_in1k';

/** An image folder, and runs on it. */
export interface Bench {
  dataset: string;
  /**
   * A run of `method` and `seed` in which every value whose name `moves` chooses has been multiplied by a number about
   * 1.
   */
  run(method: string, seed: number, moves: (name: string) => boolean): Promise<TrainedRun>;
  remove(): void;
}

export async function makeBench(): Promise<Bench> {
  const dataset = await makeImageFolder({ trainPerClass: 8, testPerClass: 6 });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-weights-'));
  const { hash, name, classes } = await datasets.load(dataset);
  return {
    dataset,
    async run(method, seed, moves) {
      const network = await backbones.load(LITE0, { classes: classes.length, weights: 'random', seed: 0 });
      const stream = randomStream(seed, `test/${method}`);
      const values = Object.fromEntries(
        Object.entries(network.variables).map(([name, variable]) => [
          name,
          variable
            .dataSync<'float32'>()
            .map((value) => (moves(name) ? value * Math.exp(stream.normal(0, 0.3)) : value)),
        ]),
      );
      const weights = path.join(folder, `${method}-${seed}.safetensors`);
      await writeSafetensors(weights, stateDictOf(network, values));
      const { weightsHash } = network;
      network.dispose();
      const record = syntheticRecord({
        method,
        seed,
        spec: { dataset, weights: 'random', imageSize: 32, resizeSize: 36 },
      });
      // The seed of the spec draws the random weights: here all runs begin with those of seed 0.
      const started = {
        ...record,
        spec: { ...record.spec, seed: 0 },
        weights: { ...record.weights, hash: weightsHash },
        dataset: { ...record.dataset, name, hash, classes, train: 16, test: 12 },
      };
      return { record: started, weights };
    },
    remove: () => [dataset, folder].forEach((each) => fs.rmSync(each, { recursive: true, force: true })),
  };
}
