// A study outside the repository with a part of each kind: images, labels, regularizer with `prepare`, schedule,
// optimizer, reset policy, backbone, data set; and a method with title and colour that has them.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { datasets, loadExtensions, parseRunSpec, type RunSpec } from '../../src/index';
import { forgetDefinitions } from '../../src/base/definitions/registry';
import { kitHome, packageRoot } from '../../src/base/home';
import { makeTarGz } from '../data/fetch/archive-makers';
import { makeImageFolder } from '../runs/image-folder';
import { filesBelow } from '../data/fresh-home';

/** The study, its definitions loaded and its data set prepared. */
export interface EightParts {
  folder: string;
  /** The extension, TypeScript. */
  file: string;
  /** A run with all of them: 6 epochs of 3 steps. */
  spec: RunSpec;
  method: string;
  /** Removes the folder, the definitions and the data set. */
  remove(): void;
}

/** Makes the study in a temporary folder. Its names are of this process: test files run at the same time. */
export async function makeEightParts(): Promise<EightParts> {
  const owner = `eight-${process.pid}`;
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-eight-')));
  const file = path.join(folder, 'parts.ts');
  fs.writeFileSync(file, source(owner));
  const images = await makeImageFolder();
  const entries = filesBelow(images).map((name) => ({
    name: `waves/${name}`,
    bytes: fs.readFileSync(path.join(images, name)),
  }));
  fs.rmSync(images, { recursive: true });
  fs.writeFileSync(path.join(folder, 'waves.tar.gz'), makeTarGz(entries));
  await loadExtensions([file]);
  await datasets.load(`${owner}/waves`, { from: folder });
  const spec = parseRunSpec({
    dataset: `${owner}/waves`,
    backbone: `${owner}/squeezenet`,
    weights: 'random',
    imageSize: 32,
    epochs: 6,
    batchSize: 4,
    tricks: [{ name: `${owner}/cutout` }, { name: `${owner}/mixup` }],
    regularizers: [{ name: `${owner}/near-mean` }],
    schedule: { name: `${owner}/warm-up` },
    optimizer: { name: `${owner}/clipped-adam`, learningRate: 1e-4, clipNorm: 1 },
    reset: { name: `${owner}/rewind-head` },
  } as never);
  const remove = (): void => {
    forgetDefinitions(`${owner}/`);
    for (const each of [folder, kitHome('data', owner)]) fs.rmSync(each, { recursive: true, force: true });
  };
  return { folder, file, spec, method: `${owner}/all`, remove };
}

const source = (owner: string): string => `import {
  defineBackbone, defineDataset, defineMethod, defineOptimizer, defineRegularizer, defineReset, defineSchedule,
  defineTrick, optimizerOptions, z,
} from 'rifle-kit/extend';
import { ops, tf } from 'rifle-kit/engine';
import { squeezeNet } from ${JSON.stringify(path.join(packageRoot(), 'dist/test/backbones/examples/squeezenet.js'))};

defineBackbone({ ...squeezeNet, record: { ...squeezeNet.record, id: '${owner}/squeezenet' } });

defineDataset({
  name: '${owner}/waves',
  version: 1,
  manifest: {
    title: 'Waves and stripes',
    classes: ['stripes', 'waves'],
    files: [{ urls: ['https://example.org/waves.tar.gz'], file: 'waves.tar.gz', bytes: null, sha256: null, md5: null }],
    counts: { train: 12, test: 6 },
    licence: 'CC0-1.0',
    citation: 'nobody',
  },
  reader: {
    wants: (file: string) => file.endsWith('.png'),
    async read(tree) {
      const all = tree.paths.map((from) => {
        const file = from.slice(from.search(/(train|test)[/]/));
        return { from, file, label: Number(file.includes('/waves/')) };
      });
      const isTrain = ({ file }: { file: string }) => file.startsWith('train/');
      return { train: all.filter(isTrain), test: all.filter((each) => !isTrain(each)), classes: null };
    },
  },
});

const cutout = defineTrick({
  name: '${owner}/cutout',
  options: z.strictObject({ side: z.number().int().positive().default(8) }),
  create: ({ side }) => ({
    images(images: tf.Tensor4D, seed: tf.Tensor1D) {
      const [batch, height] = images.shape;
      const row = ops.statelessUniform([batch, 1, 1, 1], seed).mul(height);
      return images.mul(tf.range(0, height).reshape([1, height, 1, 1]).sub(row).abs().greater(side / 2).toFloat());
    },
  }),
});

const rolled = <T extends tf.Tensor>(x: T): T => tf.concat([x.slice([1]), x.slice([0], [1])]) as T;
const mixup = defineTrick({
  name: '${owner}/mixup',
  options: z.strictObject({ part: z.number().min(0).max(1).default(0.3) }),
  create: ({ part }, { backbone: { classes } }) => {
    const mixed = <T extends tf.Tensor>(x: T): T => x.mul(1 - part).add(rolled(x).mul(part)) as T;
    return {
      images: (images: tf.Tensor4D) => mixed(images),
      labels: (labels: tf.Tensor) => mixed(tf.oneHot(labels as tf.Tensor1D, classes).toFloat()),
    };
  },
});

const nearMean = defineRegularizer({
  name: '${owner}/near-mean',
  options: z.strictObject({ weight: z.number().min(0).default(0.01) }),
  async prepare(_, { backbone, imageSize, trainImages }) {
    const { images, size } = await trainImages(6);
    const shape: [number, number, number, number] = [size, imageSize, imageSize, 3];
    const mean = tf.tidy(() =>
      backbone.forward(tf.tensor4d(Float32Array.from(images), shape), { training: false }).features.mean(0).dataSync(),
    );
    return { mean: Float32Array.from(mean) };
  },
  create: ({ weight }, { prepared }) => ({
    penalty: ({ forward: { features } }) =>
      features.sub(prepared ? tf.tensor1d(prepared.mean) : 0).square().mean().mul<tf.Scalar>(weight),
  }),
});

const warmUp = defineSchedule({
  name: '${owner}/warm-up',
  every: 'step',
  factor: (_, { progress }) => Math.min(1, progress / 0.2 + 0.01),
});

const clippedAdam = defineOptimizer({
  name: '${owner}/clipped-adam',
  options: z.strictObject({ ...optimizerOptions, learningRate: z.number().positive() }),
  slots: ['mean', 'square'],
  update(_, { gradient, slots }) {
    const mean = slots.mean.mul(0.9).add(gradient.mul(0.1));
    const square = slots.square.mul(0.99).add(gradient.square().mul(0.01));
    return { direction: mean.div(square.sqrt().add(1e-6)), slots: { mean, square } };
  },
});

const rewindHead = defineReset({
  name: '${owner}/rewind-head',
  timetable: (_, epochs) => ({ epochs, period: 2, resets: [2] }),
  values: (_, { initial, from }) => initial(from('head')),
  clearMomentum: () => true,
});

defineMethod({
  name: '${owner}/all',
  title: 'All at once',
  colour: '#117733',
  tricks: [cutout(), mixup()],
  regularizers: [nearMean()],
  reset: rewindHead(),
  schedule: warmUp(),
});
export { clippedAdam };
`;
