// A trained model that classifies images: the pixels and the compiled pass are those of a run's evaluation.
import { setImmediate } from 'node:timers/promises';
import { backbones } from '../backbones/backbone';
import { readSafetensors } from '../backbones/weights/readers/safetensors';
import { KitError } from '../base/errors';
import type { OnProgress } from '../base/progress';
import { EVALUATION_BATCH } from '../data/batches/batches';
import { centerCrop, copyCrop } from '../data/batches/crop';
import { softmax, topIndices } from '../metrics/logits';
import { loadExported } from '../runs/export/exported-model';
import type { ModelCard } from '../runs/export/model-card';
import { decodeImages, listImages, type ImageInput } from './images';
import { CompiledNetwork, ExportedNetwork, type Network } from './network';
import { findModel, type FindModelOptions, type FoundGraph, type ModelSource } from './trained-model';

/** One class that a model considers, with its softmax probability in [0, 1]. */
export interface ClassGuess {
  label: number;
  name: string;
  probability: number;
}

/** What a model says about one image. */
export interface Prediction {
  /** The file, or `image N` of pixels. */
  file: string;
  /** The likeliest classes, likeliest first. */
  top: ClassGuess[];
  /** [classes]. */
  logits: Float32Array;
  /** Where the model looked, when asked for: the class activation map of the first of `top`. */
  map?: ActivationMap;
}

/** Evidence for one class at each place of the last feature map. Its mean plus the head's bias is the class's logit. */
export interface ActivationMap {
  height: number;
  width: number;
  /** [height, width]. */
  values: Float32Array;
}

/** What `predict` gives, in the order of the images. */
export interface Predictions {
  predictions: Prediction[];
  /** Images that could not be decoded, with the reason. */
  unreadable: { file: string; message: string }[];
}

/** Options of `predict`. */
export interface PredictOptions {
  /** How many classes to give for each image. Default 3. */
  top?: number;
  /** Also give the class activation map of the predicted class. Default false. */
  maps?: boolean;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/** A trained model in memory. */
export class Classifier {
  /** Use `classifier` to make one. */
  constructor(
    /** Classes, sizes and origin of the model. */
    readonly card: ModelCard,
    private readonly network: Network,
  ) {}

  /**
   * Classifies `input`: files, folders, or RGB pixels. Images are resized and cut as in evaluation, in batches of
   * `EVALUATION_BATCH`. So the images of a run's evaluation, in its order, give the logits that the run kept, bit for
   * bit.
   * @throws KitError `PREDICT_PATH_MISSING`, `PREDICT_NO_IMAGES`; the signal's reason when stopped.
   */
  async predict(input: ImageInput, options: PredictOptions = {}): Promise<Predictions> {
    const { maps = false, onProgress, signal } = options;
    const images = listImages(input);
    const { imageSize: size, resizeSize } = this.card;
    const bytes = size * size * 3;
    const result: Predictions = { predictions: [], unreadable: [] };
    const batch = { pixels: new Uint8Array(Math.min(EVALUATION_BATCH, images.length) * bytes), names: [] as string[] };
    await this.network.prepare([Math.min(EVALUATION_BATCH, images.length), images.length % EVALUATION_BATCH], maps);
    const report = (): void =>
      onProgress?.({
        task: 'predict',
        done: result.predictions.length + result.unreadable.length,
        total: images.length,
        unit: 'images',
      });
    const flush = async (): Promise<void> => {
      if (batch.names.length === 0) return;
      await this.network.prepare([batch.names.length], maps);
      result.predictions.push(...(await this.classify(batch.pixels, batch.names, options.top ?? 3)));
      batch.names = [];
      report();
      await setImmediate(); // lets signals, bars and threads have their turn
      signal?.throwIfAborted();
    };
    report();
    for await (const decoded of decodeImages(images, resizeSize, 2 * EVALUATION_BATCH)) {
      signal?.throwIfAborted();
      if (!('image' in decoded)) {
        result.unreadable.push({ file: decoded.name, message: decoded.message });
        continue;
      }
      const { width, height, pixels } = decoded.image;
      const at = batch.names.push(decoded.name) - 1;
      copyCrop(pixels, 0, width, centerCrop(width, height, size), size, batch.pixels, at * bytes);
      if (batch.names.length === EVALUATION_BATCH) await flush();
    }
    await flush();
    report();
    return result;
  }

  /** Frees the network. */
  dispose(): void {
    this.network.dispose();
  }

  private async classify(pixels: Uint8Array, names: readonly string[], top: number): Promise<Prediction[]> {
    const { classes, imageSize } = this.card;
    const images = pixels.subarray(0, names.length * imageSize * imageSize * 3);
    const { logits: rows, maps } = await this.network.classify(images, names.length);
    return names.map((file, i) => {
      const row = rows.slice(i * classes.length, (i + 1) * classes.length);
      const probabilities = softmax(row);
      const guess = (label: number): ClassGuess => ({
        label,
        name: classes[label],
        probability: probabilities[label],
      });
      const prediction = { file, top: topIndices(row, top).map(guess), logits: row };
      if (maps === null) return prediction;
      const { height, width, values } = maps;
      const area = height * width;
      return { ...prediction, map: { height, width, values: values.slice(i * area, (i + 1) * area) } };
    });
  }
}

/**
 * The trained model of a run (its record, its id or the beginning of it), an exported folder (safetensors, timm, tfjs,
 * SavedModel), or a weights file. `dispose` it when done.
 * @throws KitError as `findModel` and `loadExported`; `PREDICT_CLASS_COUNT` when the model has another number of
 *   classes.
 */
export async function classifier(
  source: ModelSource,
  options: FindModelOptions & { onProgress?: OnProgress; signal?: AbortSignal } = {},
): Promise<Classifier> {
  const found = await findModel(source, options);
  const { card } = found;
  if ('folder' in found) return new Classifier(card, await exportedNetwork(found));
  const { onProgress, signal } = options;
  const { weights } = found;
  const { bias } = backbones.get(card.backbone).head;
  // `backbones.load` would draw a new head for another number of classes: here the head must be the trained one.
  requireClasses(weights, card, (await readSafetensors(weights)).get(bias)?.shape[0]);
  const backbone = await backbones.load(card.backbone, { classes: card.classes.length, weights, onProgress, signal });
  return new Classifier(card, new CompiledNetwork(card, backbone));
}

/** The graph of an exported folder; it is asked once, so that a wrong one is refused here. */
async function exportedNetwork({ card, folder, format }: FoundGraph): Promise<Network> {
  const network = new ExportedNetwork(card, await loadExported(format, folder));
  try {
    const { logits } = await network.classify(new Uint8Array(card.imageSize ** 2 * 3), 1);
    requireClasses(folder, card, logits.length);
    return network;
  } catch (error) {
    network.dispose();
    throw error;
  }
}

function requireClasses(source: string, { classes, run }: ModelCard, found: number | undefined): void {
  if (found === classes.length) return;
  throw new KitError(
    `The model ${source} has a head for ${found ?? 'no'} classes; expected ${classes.length}, as in run ${run}.`,
    { code: 'PREDICT_CLASS_COUNT', fix: 'Give the weights of this run, or export the run again.' },
  );
}
