// The weights of a run for use elsewhere: safetensors, a TensorFlow.js model, a SavedModel for serving; each checked by a prediction.
import fs from 'node:fs';
import path from 'node:path';
import { backbones, type Backbone } from '../backbones/backbone';
import { makeAtomically } from '../data/atomic';
import { KitError } from '../engine/errors';
import { freeze, type FrozenGraph } from '../engine/frozen';
import { encodeSavedModel } from '../engine/saved-model';
import { tf, type TF } from '../engine/tensorflow';
import type { RunStore } from './store';
import { writeTfjsModel } from './tfjs-model';

/** `safetensors`: a file, names and layouts of the weights it came from; `tfjs`, `savedmodel`: a folder, pixels 0..255 in, logits and probabilities out. */
export type ExportFormat = 'safetensors' | 'tfjs' | 'savedmodel';

/** How far an exported model's logits may be from the kit's own, relative to the largest of them. */
const TOLERANCE = 1e-4;

/** What `exportRun` did. */
export interface Exported {
  path: string;
  /** Largest difference of a logit from the kit's own on the images that were tried; 0 for a copy of the file. */
  difference: number;
}

/**
 * Exports the weights of the run `id` to `to`.
 * @throws KitError when it did not keep them, `to` is there already, or the export predicts something else.
 */
export async function exportRun(store: RunStore, id: string, { format, which = 'last', to }: { format: ExportFormat; which?: 'last' | 'best'; to: string }): Promise<Exported> {
  const record = store.find(id);
  const weights = store.weights(id, which);
  if (record === null || weights === null) {
    throw new KitError(`The run ${id} ${record === null ? 'is not over' : 'did not keep its weights'}.`, { fix: 'Make it with `keepWeights` (rifle train --keep-weights): it gives the same bits.' });
  }
  if (fs.existsSync(to)) throw new KitError(`${to} is there already.`, { fix: 'Name another place.' });
  if (format === 'safetensors') {
    await makeAtomically(to, (partial) => fs.promises.copyFile(weights, partial));
    return { path: to, difference: 0 };
  }
  const backbone = await backbones.load(record.spec.backbone, { classes: record.dataset.classes.length, weights });
  try {
    return { path: to, difference: await exportBackbone(backbone, record.spec.imageSize ?? backbone.record.inputSize, format, to) };
  } finally {
    backbone.dispose();
  }
}

/** Writes `backbone`, which takes images of `size` pixels, and gives the largest difference of a logit on random images, one and three at a time. */
export async function exportBackbone(backbone: Backbone, size: number, format: Exclude<ExportFormat, 'safetensors'>, to: string): Promise<number> {
  const logitsOf = (images: TF.Tensor): TF.Tensor2D => backbone.forward(images as TF.Tensor4D, { training: false }).logits;
  const graph = freeze({ name: 'images', shape: [2, size, size, 3], dtype: 'int32' }, (images) => {
    const logits = logitsOf(images);
    return { logits, probabilities: tf.softmax(logits) };
  });
  return makeAtomically(to, async (partial) => {
    await write(graph, format, partial);
    const predict = await load(format, partial);
    let largest = 0;
    for (const batch of [1, 3]) {
      const images = tf.randomUniform([batch, size, size, 3], 0, 256, 'int32', 7);
      const found = await predict(images);
      const expected = tf.tidy(() => logitsOf(images));
      const [difference, scale] = tf.tidy(() => [tf.sub(found, expected).abs().max().dataSync()[0], expected.abs().max().dataSync()[0]]);
      tf.dispose([images, found, expected]);
      if (!(difference <= TOLERANCE * Math.max(1, scale))) throw new KitError(`The exported ${format} model gives logits that are ${difference} from the kit's own.`, { fix: 'Nothing is written. Please report this.' });
      largest = Math.max(largest, difference);
    }
    return largest;
  });
}

async function write(graph: FrozenGraph, format: ExportFormat, folder: string): Promise<void> {
  if (format === 'tfjs') return writeTfjsModel(graph, folder);
  await fs.promises.mkdir(path.join(folder, 'variables'), { recursive: true }); // there are none, but servers look for the folder
  await fs.promises.writeFile(path.join(folder, 'saved_model.pb'), encodeSavedModel(graph.nodes, graph.signature));
}

/** Loads an export by the official loader of its format. */
async function load(format: ExportFormat, folder: string): Promise<(images: TF.Tensor) => Promise<TF.Tensor2D>> {
  if (format === 'savedmodel') {
    const model = await tf.node.loadSavedModel(folder);
    return async (images) => {
      const { logits, probabilities } = model.predict({ images }) as Record<string, TF.Tensor2D>;
      probabilities.dispose();
      return logits;
    };
  }
  const model = await tf.loadGraphModel(`file://${path.resolve(folder, 'model.json')}`);
  return async (images) => model.execute({ images }, 'logits') as TF.Tensor2D;
}
