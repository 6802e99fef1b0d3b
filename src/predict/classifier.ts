// A trained model that classifies images: the pixels and the compiled pass are those of a run's evaluation.
import { setImmediate } from 'node:timers/promises';
import { backbones, type Backbone } from '../backbones/backbone';
import { readSafetensors } from '../backbones/weights/readers/safetensors';
import { KitError } from '../base/errors';
import type { OnProgress } from '../base/progress';
import { centerCrop, copyCrop } from '../data/batches/crop';
import { compile, type Program } from '../engine/compile';
import { tf, type TF } from '../engine/tensorflow';
import { softmax, topIndices } from '../metrics/logits';
import { EVALUATION_BATCH } from '../data/batches/batches';
import type { ModelCard } from '../runs/export/model-card';
import { forwardWithMap } from '../backbones/activation-maps';
import { decodeImages, listImages, type ImageInput } from './images';
import { findModel, type FindModelOptions, type ModelSource } from './trained-model';

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

type Pass = Program<{
  classify: { args: object; run(args: { images: TF.Tensor4D }): { logits: TF.Tensor2D; maps: TF.Tensor3D[] } };
}>;

/** A trained model in memory. */
export class Classifier {
  private pass: { program: Pass; sizes: Set<number>; maps: boolean } | null = null;

  /** Use `classifier` to make one. */
  constructor(
    /** Classes, sizes and origin of the model. */
    readonly card: ModelCard,
    private readonly backbone: Backbone,
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
    await this.compileFor([Math.min(EVALUATION_BATCH, images.length), images.length % EVALUATION_BATCH], maps);
    const report = (): void =>
      onProgress?.({
        task: 'predict',
        done: result.predictions.length + result.unreadable.length,
        total: images.length,
        unit: 'images',
      });
    const flush = async (): Promise<void> => {
      if (batch.names.length === 0) return;
      await this.compileFor([batch.names.length], maps);
      result.predictions.push(...this.classify(batch.pixels, batch.names, options.top ?? 3));
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
    this.pass?.program.dispose();
    this.pass = null;
    this.backbone.dispose();
  }

  private classify(pixels: Uint8Array, names: readonly string[], top: number): Prediction[] {
    const { classes, imageSize } = this.card;
    const images = pixels.subarray(0, names.length * imageSize * imageSize * 3);
    const { logits, maps } = this.pass!.program.classify({ images });
    const [rows, heat] = [logits.dataSync<'float32'>(), maps[0]?.dataSync<'float32'>()];
    const [, height, width] = maps[0]?.shape ?? [];
    tf.dispose([logits, maps]);
    return names.map((file, i) => {
      const row = rows.slice(i * classes.length, (i + 1) * classes.length);
      const probabilities = softmax(row);
      const guess = (label: number): ClassGuess => ({
        label,
        name: classes[label],
        probability: probabilities[label],
      });
      const area = height * width;
      const map = heat && { height, width, values: heat.slice(i * area, (i + 1) * area) };
      return { file, top: topIndices(row, top).map(guess), logits: row, ...(map ? { map } : {}) };
    });
  }

  /** Compiles the pass for the sizes of batches that it does not know yet. */
  private async compileFor(sizes: readonly number[], maps: boolean): Promise<void> {
    const wanted = sizes.filter((size) => size > 0);
    if (this.pass?.maps === maps && wanted.every((size) => this.pass!.sizes.has(size))) return;
    const known = this.pass?.maps === maps ? [...this.pass.sizes].filter((size) => size === EVALUATION_BATCH) : [];
    const all = new Set([...known, ...wanted]);
    this.pass?.program.dispose();
    this.pass = null;
    const { backbone, card } = this;
    const program = await compile(
      {
        classify: {
          args: [...all].map((size) => ({
            images: { shape: [size, card.imageSize, card.imageSize, 3], dtype: 'uint8' as const },
          })),
          run({ images }: { images: TF.Tensor4D }) {
            if (maps) return forwardWithMap(backbone, images);
            return { logits: backbone.forward(images, { training: false }).logits, maps: [] as TF.Tensor3D[] };
          },
        },
      },
      backbone.variables,
      { precision: card.precision },
    );
    this.pass = { program, sizes: all, maps };
  }
}

/**
 * The trained model of a run (its record, its id or the beginning of it), an exported folder, or a weights file.
 * `dispose` it when done.
 * @throws KitError as `findModel`; `PREDICT_CLASS_COUNT` when the weights have another number of classes.
 */
export async function classifier(
  source: ModelSource,
  options: FindModelOptions & { onProgress?: OnProgress; signal?: AbortSignal } = {},
): Promise<Classifier> {
  const { card, weights } = await findModel(source, options);
  const { onProgress, signal } = options;
  await requireClasses(weights, card);
  const backbone = await backbones.load(card.backbone, { classes: card.classes.length, weights, onProgress, signal });
  return new Classifier(card, backbone);
}

/** `backbones.load` would draw a new head for another number of classes: here the head must be the trained one. */
async function requireClasses(weights: string, { backbone, classes, run }: ModelCard): Promise<void> {
  const { bias } = backbones.get(backbone).head;
  const found = (await readSafetensors(weights)).get(bias)?.shape[0];
  if (found === classes.length) return;
  throw new KitError(
    `The weights ${weights} have a head for ${found ?? 'no'} classes; expected ${classes.length}, as in run ${run}.`,
    { code: 'PREDICT_CLASS_COUNT', fix: 'Give the weights of this run, or export the run again.' },
  );
}
