// The types of the backbones: what is known of one, what a forward pass gives, and one in memory.
import type { TF } from '../engine/tensorflow';
import type { Parameter } from './parameters';
import type { PublishedManifest } from './weights/published';
import type { WeightsManifest } from './weights/store';

/** What is known of a backbone before any weight is read. */
export interface BackboneRecord {
  /** `family.tag`: the architecture, and whose weights. */
  id: string;
  title: string;
  family: string;
  /** Side of the square crop in pixels. */
  inputSize: number;
  /** Length of the image's short side before the crop, in pixels. */
  resizeSize: number;
  /**
   * What the publisher resizes with. The kit's pixel cache always resizes bilinearly, antialiased. Default
   * `'bilinear'`.
   */
  interpolation?: 'bilinear' | 'bicubic';
  /** Number of pooled features, which the head sees. */
  featureSize: number;
  /** Of RGB pixels in 0..255: the network sees (x - mean) / std. */
  mean: [number, number, number];
  std: [number, number, number];
  /** The order in which the network sees the channels. `mean` and `std` are in RGB order all the same. */
  channelOrder: 'rgb' | 'bgr';
  /** Names of the head's parameters. */
  head: { weight: string; bias: string };
  /**
   * A second classifier that reads an earlier stage and only trains: its cross entropy, times `lossWeight`, is added to
   * the loss. Its head is new where the head is.
   */
  auxiliary?: { head: { weight: string; bias: string }; lossWeight: number } | null;
  /** Names of the stages whose outputs `forward` gives, input side first. */
  taps: string[];
  /** The file in a registry, or on its publisher's server; `null` when only a path can be given. */
  weights: WeightsManifest | PublishedManifest | null;
  licence: string;
  /** ImageNet top-1 that the publisher of the weights claims, a fraction in [0, 1]. */
  top1Claimed: number | null;
  /** Trainable parameters, with the head for 1000 classes; running statistics are not counted. */
  parameters: number;
  /** Weight of a batch in the running statistics (PyTorch's convention). */
  batchNormMomentum: number;
}

/** A new value of a running statistic. */
export interface StatisticUpdate {
  variable: TF.Variable;
  /** Kept: the caller assigns it and disposes it. */
  value: TF.Tensor;
}

/**
 * What may be done to a forward pass from outside, for tricks that act inside the network; each is ordinary
 * differentiable tfjs code.
 */
export interface ForwardHooks {
  /**
   * Changes the output of a residual block's branch before the shortcut is added to it.
   * @param block which block, from 0 at the input side, of `backbone.residualBlocks`.
   */
  residual?(branch: TF.Tensor4D, block: number): TF.Tensor4D;
  /** Changes the output of the stage `name` (one of `record.taps`); what follows, and `taps`, see the changed one. */
  tap?(x: TF.Tensor4D, name: string): TF.Tensor4D;
  /**
   * In place of the linear head: logits [batch, classes] of features [batch, featureSize], weight [featureSize,
   * classes] and bias [classes].
   */
  head?(features: TF.Tensor2D, weight: TF.Tensor2D, bias: TF.Tensor1D): TF.Tensor2D;
}

/** How a forward pass runs. */
export interface ForwardOptions {
  /** Whether batch normalisation uses the batch's own statistics, and gives `updates`. */
  training: boolean;
  /** Default none. */
  hooks?: ForwardHooks;
}

/** What a forward pass gives. All tensors are the caller's to dispose, by `tf.tidy` for all but `updates`. */
export interface ForwardResult {
  /** [batch, classes]. */
  logits: TF.Tensor2D;
  /** In training, the logits of the auxiliary classifier [batch, classes], where there is one. */
  auxiliaryLogits?: TF.Tensor2D;
  /** What the head sees: [batch, featureSize], the mean of the last feature map over its places. */
  features: TF.Tensor2D;
  /** Output of each stage, by the names in `record.taps`: [batch, height, width, channels]. */
  taps: Record<string, TF.Tensor4D>;
  /** In training, every running statistic after this batch; else empty. */
  updates: StatisticUpdate[];
}

/** A backbone in memory, with its head. */
export interface Backbone {
  record: BackboneRecord;
  classes: number;
  /** Hash of what the weights came from: of the file(s), or of seed and id when they are random. */
  weightsHash: string;
  /** By the names in the source file, in the order of the network. Running statistics are not trainable. */
  variables: Record<string, TF.Variable>;
  /** What each variable is in the source file: its shape and layout there. `stateDictOf` writes them back. */
  parameters: ReadonlyMap<string, Parameter>;
  head: {
    /** [featureSize, classes]. */
    weight: TF.Variable;
    /** [classes]. */
    bias: TF.Variable;
  };
  /** The head of the auxiliary classifier, where there is one. */
  auxiliaryHead: Backbone['head'] | null;
  /** Number of blocks that add a shortcut; 0 in a network without residual connections. */
  residualBlocks: number;
  /**
   * Runs the network.
   * @param images RGB in 0..255, int32 or float32, [batch, height, width, 3]; any size that the strides leave something
   *   of.
   */
  forward(images: TF.Tensor4D, options: ForwardOptions): ForwardResult;
  /**
   * Another backbone with the same values in variables of its own, the caller's to dispose: a frozen reference, for
   * example.
   */
  copy(): Backbone;
  /** Frees the variables. */
  dispose(): void;
}
