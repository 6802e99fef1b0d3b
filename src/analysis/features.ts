// What a network sees in images, stage by stage: one compiled pass in evaluation mode over the batches of a data set.
import { setImmediate } from 'node:timers/promises';
import type { Backbone } from '../backbones/backbone';
import { compile } from '../engine/compile';
import { KitError, unknownName } from '../base/errors';
import { globalAveragePool } from '../engine/ops/ops';
import type { OnProgress } from '../base/progress';
import { tf, type TF } from '../engine/tensorflow';
import type { BatchSource } from '../transfer/train-state';
import type { FeatureMatrix } from './cka';

/** What to extract, and from images of which size. */
export interface ExtractorOptions {
  /** Side of the batches' images, pixels. */
  imageSize: number;
  /** Sizes of all batches that will come. */
  batchSizes: readonly number[];
  /** Names of stages, from `backbone.record.taps`. Default all of them. */
  stages?: readonly string[];
  /** Also the whole feature maps. They are large: 48 x 48 places of 32 channels are 295 kB an image. Default false. */
  maps?: boolean;
}

/**
 * A feature map of every image: [images, height, width, channels], and as a matrix [images, height * width * channels].
 */
export interface MapMatrix extends FeatureMatrix {
  shape: [images: number, height: number, width: number, channels: number];
}

/** What one pass over images gives, each in the order of the images. */
export interface StageFeatures {
  /** Names of the stages, input side first. */
  stages: string[];
  /** Label of each image. */
  labels: Int32Array;
  /** By stage: the mean of its output over height and width, [images, channels]. */
  pooled: Record<string, FeatureMatrix>;
  /** By stage, its output; `null` unless asked for. */
  maps: Record<string, MapMatrix> | null;
  /** What the head sees: [images, featureSize]. */
  features: FeatureMatrix;
}

/** A compiled pass. Its variables begin with the backbone's values and are its own from then on. */
export interface FeatureExtractor {
  /** The features of all images of `batches` (its epoch 0). @throws the signal's reason when stopped. */
  extract(
    batches: BatchSource,
    options?: { signal?: AbortSignal; onProgress?: OnProgress; title?: string },
  ): Promise<StageFeatures>;
  /** Sets parameters and running statistics by name, in the layout of `backbone.variables`. */
  write(values: Record<string, Float32Array>): void;
  /** Frees the graph and its variables. */
  dispose(): void;
}

/**
 * Compiles the pass of `backbone` in evaluation mode. The backbone is not changed, and may be disposed afterwards.
 * @throws KitError for a stage that the backbone does not have.
 */
export async function featureExtractor(
  backbone: Backbone,
  { imageSize, batchSizes, stages: wanted, maps = false }: ExtractorOptions,
): Promise<FeatureExtractor> {
  const { taps, id } = backbone.record;
  for (const stage of wanted ?? []) if (!taps.includes(stage)) throw unknownName(`stage of ${id}`, stage, taps);
  const stages = wanted === undefined ? [...taps] : taps.filter((name) => wanted.includes(name));
  const program = await compile(
    {
      features: {
        args: [...new Set(batchSizes)].map((size) => ({
          images: { shape: [size, imageSize, imageSize, 3], dtype: 'uint8' as const },
        })),
        run({ images }: { images: TF.Tensor4D }) {
          const seen = backbone.forward(images, { training: false });
          return {
            features: seen.features,
            pooled: stages.map((name) => globalAveragePool(seen.taps[name])),
            maps: maps ? stages.map((name) => seen.taps[name]) : [],
          };
        },
      },
    },
    backbone.variables,
  );

  return {
    async extract(batches, { signal, onProgress, title = 'features' } = {}) {
      const labels: number[] = [];
      const rows = {
        features: new Rows(),
        pooled: stages.map(() => new Rows()),
        maps: maps ? stages.map(() => new Rows()) : [],
      };
      for await (const { images, labels: given, index, count } of batches.epoch(0, { signal })) {
        await setImmediate(); // lets signals and bars have their turn
        signal?.throwIfAborted();
        const seen = program.features({ images });
        rows.features.add(seen.features);
        seen.pooled.forEach((tensor, i) => rows.pooled[i].add(tensor));
        seen.maps.forEach((tensor, i) => rows.maps[i].add(tensor));
        tf.dispose([seen.features, ...seen.pooled, ...seen.maps]);
        labels.push(...given);
        onProgress?.({ task: title, done: index + 1, total: count, unit: 'steps' });
      }
      const byStage = <T>(give: (i: number) => T): Record<string, T> =>
        Object.fromEntries(stages.map((name, i) => [name, give(i)]));
      return {
        stages,
        labels: Int32Array.from(labels),
        pooled: byStage((i) => rows.pooled[i].matrix()),
        maps: maps ? byStage((i) => rows.maps[i].maps()) : null,
        features: rows.features.matrix(),
      };
    },
    write: (values) => program.write(values),
    dispose: () => program.dispose(),
  };
}

/** The features of all images of `batches` as `backbone` sees them now: `featureExtractor` for one pass. */
export async function stageFeatures(
  backbone: Backbone,
  batches: BatchSource,
  {
    imageSize,
    stages,
    maps,
    ...options
  }: Omit<ExtractorOptions, 'batchSizes'> & { signal?: AbortSignal; onProgress?: OnProgress },
): Promise<StageFeatures> {
  const extractor = await featureExtractor(backbone, { imageSize, stages, maps, batchSizes: batches.batchSizes });
  try {
    return await extractor.extract(batches, options);
  } finally {
    extractor.dispose();
  }
}

/** Collects the rows of batches. */
class Rows {
  private readonly parts: Float32Array[] = [];
  private images = 0;
  private shape: number[] = [];

  add(tensor: TF.Tensor): void {
    this.parts.push(tensor.dataSync<'float32'>());
    this.images += tensor.shape[0];
    this.shape = tensor.shape.slice(1);
  }

  matrix(): FeatureMatrix {
    if (this.images === 0)
      throw new KitError('Expected images to extract features from, found none.', {
        code: 'FEATURES_NO_IMAGES',
        fix: 'Give batches of at least one image.',
      });
    const features = this.shape.reduce((product, side) => product * side, 1);
    const values = new Float32Array(this.images * features);
    let at = 0;
    for (const part of this.parts) {
      values.set(part, at);
      at += part.length;
    }
    return { examples: this.images, features, values };
  }

  maps(): MapMatrix {
    const [height, width, channels] = this.shape;
    return { ...this.matrix(), shape: [this.images, height, width, channels] };
  }
}
