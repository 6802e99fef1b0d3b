// The networks behind a classifier: a backbone whose pass is compiled, or the graph of an exported folder.
import type { Backbone } from '../backbones/backbone';
import { forwardWithMap } from '../backbones/activation-maps';
import { KitError } from '../base/errors';
import { EVALUATION_BATCH } from '../data/batches/batches';
import { compile, type Program } from '../engine/compile';
import { tf, type TF } from '../engine/tensorflow';
import type { ExportedModel } from '../runs/export/exported-model';
import type { ModelCard } from '../runs/export/model-card';

/** What a network says of a batch. */
export interface NetworkOutputs {
  /** [batch, classes]. */
  logits: Float32Array;
  /** Class activation maps [batch, height, width], where asked for. */
  maps: { height: number; width: number; values: Float32Array } | null;
}

/** A network that classifies batches of images. */
export interface Network {
  /** Gets ready for batches of these sizes. @throws KitError `PREDICT_NO_MAPS` where it cannot give maps. */
  prepare(sizes: readonly number[], maps: boolean): Promise<void>;
  /** Classifies `count` images, RGB [count, side, side, 3]. `prepare` has seen this size. */
  classify(pixels: Uint8Array, count: number): Promise<NetworkOutputs>;
  dispose(): void;
}

type Pass = Program<{
  classify: { args: object; run(args: { images: TF.Tensor4D }): { logits: TF.Tensor2D; maps: TF.Tensor3D[] } };
}>;

/** A backbone of the kit. Its pass is compiled for every size of batch: it gives the bits of a run's evaluation. */
export class CompiledNetwork implements Network {
  private pass: { program: Pass; sizes: Set<number>; maps: boolean } | null = null;

  constructor(
    private readonly card: ModelCard,
    private readonly backbone: Backbone,
  ) {}

  async prepare(sizes: readonly number[], maps: boolean): Promise<void> {
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

  classify(pixels: Uint8Array): Promise<NetworkOutputs> {
    const { logits, maps } = this.pass!.program.classify({ images: pixels });
    const [rows, heat] = [logits.dataSync<'float32'>(), maps[0]?.dataSync<'float32'>()];
    const [, height, width] = maps[0]?.shape ?? [];
    tf.dispose([logits, maps]);
    return Promise.resolve({ logits: rows, maps: heat === undefined ? null : { height, width, values: heat } });
  }

  dispose(): void {
    this.pass?.program.dispose();
    this.pass = null;
    this.backbone.dispose();
  }
}

/** The graph of an exported folder: logits as the kit's own, but for rounding. */
export class ExportedNetwork implements Network {
  constructor(
    private readonly card: ModelCard,
    private readonly model: ExportedModel,
  ) {}

  prepare(_sizes: readonly number[], maps: boolean): Promise<void> {
    if (maps)
      throw new KitError('An exported folder gives no class activation maps.', {
        code: 'PREDICT_NO_MAPS',
        fix: 'Give the run, or an export as safetensors or timm.',
      });
    return Promise.resolve();
  }

  async classify(pixels: Uint8Array, count: number): Promise<NetworkOutputs> {
    const { imageSize } = this.card;
    const images = tf.tensor4d(Int32Array.from(pixels), [count, imageSize, imageSize, 3], 'int32');
    const logits = await this.model.predict(images);
    const values = logits.dataSync<'float32'>();
    tf.dispose([images, logits]);
    return { logits: values, maps: null };
  }

  dispose(): void {
    this.model.dispose();
  }
}
