// The weights of a run for use elsewhere: safetensors, a TensorFlow.js model, a SavedModel for serving; each checked by
// a prediction.
import fs from 'node:fs';
import path from 'node:path';
import { backbones, type Backbone } from '../../backbones/backbone';
import { makeAtomically } from '../../base/files/atomic';
import { KitError } from '../../base/errors';
import { freeze, type FrozenGraph } from '../../engine/graph/freeze';
import { encodeSavedModel } from '../../engine/graph/saved-model';
import { tf, type TF } from '../../engine/tensorflow';
import { sha256File } from '../../base/files/file-hash';
import type { RunStore } from '../store/store';
import { writeTfjsModel } from './tfjs-model';

/**
 * `safetensors`: a file, names and layouts of the weights it came from; `tfjs`, `savedmodel`: a folder, pixels 0..255
 * in, logits and probabilities out.
 */
export type ExportFormat = 'safetensors' | 'tfjs' | 'savedmodel';

/** How far an exported model's logits may be from the kit's own, relative to the largest of them. */
const TOLERANCE = 1e-4;

/** What `exportRun` did. */
export interface Exported {
  path: string;
  /** Largest difference of a logit from the kit's own on the images that were tried. */
  difference: number;
}

/**
 * Exports the weights of the run `id` to `to`.
 * @throws KitError when it did not keep them, they are not what it kept, `to` is there already, or the export predicts
 *   something else.
 */
export async function exportRun(
  store: RunStore,
  id: string,
  { format, which = 'last', to }: { format: ExportFormat; which?: 'last' | 'best'; to: string },
): Promise<Exported> {
  const found = store.findWithSums(id);
  const weights = store.weights(id, which);
  if (found === null || weights === null) {
    throw new KitError(`The run ${id} ${found === null ? 'is not over' : 'did not keep its weights'}.`, {
      fix: 'Make it with `keepWeights` (rifle train --keep-weights): it gives the same bits.',
    });
  }
  if (fs.existsSync(to)) throw new KitError(`${to} is there already.`, { fix: 'Name another place.' });
  const sum = found.checksums?.[path.basename(weights)];
  if (sum !== undefined && (await sha256File(weights)) !== sum)
    throw new KitError(`${weights} was changed after the run wrote it: its checksum is not the one in the record.`, {
      fix: `Make the run again: npx rifle runs prune ${id} --yes, then with --keep-weights.`,
    });
  const { spec, dataset } = found.record;
  const load = (file: string): Promise<Backbone> =>
    backbones.load(spec.backbone, { classes: dataset.classes.length, weights: file });
  const backbone = await load(weights);
  try {
    const size = spec.imageSize ?? backbone.record.inputSize;
    if (format !== 'safetensors') return { path: to, difference: await exportBackbone(backbone, size, format, to) };
    const difference = await makeAtomically(to, async (partial) => {
      await fs.promises.copyFile(weights, partial);
      const named = `${partial}.safetensors`; // the reader goes by the ending
      await fs.promises.link(partial, named);
      try {
        return await differenceOf(backbone, size, await load(named), format);
      } finally {
        await fs.promises.rm(named);
      }
    });
    return { path: to, difference };
  } finally {
    backbone.dispose();
  }
}

/**
 * Writes `backbone`, which takes images of `size` pixels, and gives the largest difference of a logit on random images,
 * one and three at a time.
 */
export async function exportBackbone(
  backbone: Backbone,
  size: number,
  format: Exclude<ExportFormat, 'safetensors'>,
  to: string,
): Promise<number> {
  const graph = freeze({ name: 'images', shape: [2, size, size, 3], dtype: 'int32' }, (images) => {
    const logits = logitsOf(backbone, images);
    return { logits, probabilities: tf.softmax(logits) };
  });
  return makeAtomically(to, async (partial) => {
    await write(graph, format, partial);
    return largestDifference(backbone, size, await load(format, partial), format);
  });
}

const logitsOf = (backbone: Backbone, images: TF.Tensor): TF.Tensor2D =>
  backbone.forward(images as TF.Tensor4D, { training: false }).logits;

/** The same of a file of weights, by the network that `copy` is; it is disposed of. */
async function differenceOf(backbone: Backbone, size: number, copy: Backbone, format: ExportFormat): Promise<number> {
  try {
    return await largestDifference(
      backbone,
      size,
      (images) => Promise.resolve(tf.tidy(() => logitsOf(copy, images))),
      format,
    );
  } finally {
    copy.dispose();
  }
}

async function largestDifference(
  backbone: Backbone,
  size: number,
  predict: (images: TF.Tensor) => Promise<TF.Tensor2D>,
  format: ExportFormat,
): Promise<number> {
  let largest = 0;
  for (const batch of [1, 3]) {
    const images = tf.randomUniform([batch, size, size, 3], 0, 256, 'int32', 7);
    const found = await predict(images);
    const expected = tf.tidy(() => logitsOf(backbone, images));
    const [difference, scale] = tf.tidy(() => [
      tf.sub(found, expected).abs().max().dataSync()[0],
      expected.abs().max().dataSync()[0],
    ]);
    tf.dispose([images, found, expected]);
    if (!(difference <= TOLERANCE * Math.max(1, scale)))
      throw new KitError(`The exported ${format} model gives logits that are ${difference} from the kit's own.`, {
        fix: 'Nothing is written. Please report this.',
      });
    largest = Math.max(largest, difference);
  }
  return largest;
}

async function write(graph: FrozenGraph, format: ExportFormat, folder: string): Promise<void> {
  if (format === 'tfjs') return writeTfjsModel(graph, folder);
  // there are none, but servers look for the folder
  await fs.promises.mkdir(path.join(folder, 'variables'), { recursive: true });
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
