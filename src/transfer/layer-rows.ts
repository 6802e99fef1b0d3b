// How far back-propagation reaches: of every layer and epoch, the size of its gradient, of its updates, and its way
// from the pretrained weights.
import { halfSquaredNorm } from '../engine/ops/ops';
import { tf, type TF } from '../engine/tensorflow';
import type { Backbone } from '../backbones/backbone';

/** The numbers of one layer in one epoch; the layer's parameters are taken together as one vector w. */
export interface LayerRow {
  /** 1-based. */
  epoch: number;
  /** The parameters' name without its last part, for example `layer1.0.conv2`. */
  layer: string;
  /** 0 at the input side. */
  place: number;
  /** Weights of a convolution, scale and offset of a normalisation, or the head. */
  kind: 'kernel' | 'norm' | 'head';
  /** Mean over the epoch's steps of |d loss / d w|, weight decay excepted. */
  gradientNorm: number;
  /** Mean over the epoch's steps of |w after - w before|. */
  updateNorm: number;
  /**
   * |w - w0| / |w0| at the end of the epoch, before a reset; w0 are the weights before training (of the head: as first
   * drawn).
   */
  weightDistance: number;
}

/** A layer: which of the parameters, by position, are its own. */
interface LayerParts {
  layer: string;
  place: number;
  kind: LayerRow['kind'];
  parts: number[];
}

/** Sums over the steps of the present epoch, layer by layer. */
export interface LayerSums {
  steps: number;
  gradients: number[];
  updates: number[];
}

/** Gathers the rows of a run. */
export class LayerRecorder {
  private readonly layers: LayerParts[];
  private readonly startSquares: Float32Array;
  private steps = 0;
  private gradients: Float64Array;
  private updates: Float64Array;
  readonly rows: LayerRow[] = [];

  /**
   * @param names of the trained parameters, in the order of `squaredNorms`; `backbone` holds the values before
   *   training, and keeps them.
   * @param from for a resumed run: the rows and sums of the earlier recorder.
   */
  constructor(
    private readonly backbone: Backbone,
    private readonly names: readonly string[],
    from?: { rows: readonly LayerRow[]; sums: LayerSums },
  ) {
    this.layers = layersOf(backbone, names);
    this.startSquares = squares(names.map((name) => backbone.variables[name]));
    const none = this.layers.map(() => 0);
    [this.gradients, this.updates] = [
      Float64Array.from(from?.sums.gradients ?? none),
      Float64Array.from(from?.sums.updates ?? none),
    ];
    this.steps = from?.sums.steps ?? 0;
    this.rows.push(...(from?.rows ?? []));
  }

  /** The sums of the epoch that is under way. */
  sums(): LayerSums {
    return { steps: this.steps, gradients: [...this.gradients], updates: [...this.updates] };
  }

  /** Takes in the `squaredNorms` [2, parameters] of a training step. */
  step(squaredNorms: Float32Array): void {
    const [gradients, updates] = [
      squaredNorms.subarray(0, this.names.length),
      squaredNorms.subarray(this.names.length),
    ];
    this.layers.forEach(({ parts }, i) => {
      this.gradients[i] += normOf(gradients, parts);
      this.updates[i] += normOf(updates, parts);
    });
    this.steps++;
  }

  /** Closes an epoch (1-based) with the parameters' present `values`, which it disposes, and gives its rows. */
  epoch(epoch: number, values: Record<string, TF.Tensor>): LayerRow[] {
    const ways = this.names.map((name) => tf.sub(values[name], this.backbone.variables[name]));
    const moved = squares(ways);
    tf.dispose([values, ways]);
    const rows = this.layers.map(({ layer, place, kind, parts }, i) => ({
      epoch,
      layer,
      place,
      kind,
      gradientNorm: short(this.gradients[i] / this.steps),
      updateNorm: short(this.updates[i] / this.steps),
      weightDistance: short(normOf(moved, parts) / (normOf(this.startSquares, parts) || 1)),
    }));
    this.steps = 0;
    this.gradients.fill(0);
    this.updates.fill(0);
    this.rows.push(...rows);
    return rows;
  }
}

/** The layers of a network from its parameters' names, input side first. */
function layersOf({ record, variables }: Backbone, names: readonly string[]): LayerParts[] {
  const headNames = new Set(Object.values(record.head));
  const parts = new Map<string, number[]>();
  names.forEach((name, i) => {
    const layer = name.replace(/[./][^./]*$/, '');
    parts.set(layer, [...(parts.get(layer) ?? []), i]);
  });
  return [...parts].map(([layer, own], place) => {
    const isHead = own.some((i) => headNames.has(names[i]));
    const kind = isHead ? 'head' : own.some((i) => variables[names[i]].rank > 1) ? 'kernel' : 'norm';
    return { layer, place, kind, parts: own };
  });
}

/** Sum of squares of each tensor. */
function squares(tensors: readonly TF.Tensor[]): Float32Array {
  const sums = tf.tidy(() => tf.stack(tensors.map((tensor) => halfSquaredNorm(tensor))).mul(2));
  const values = sums.dataSync<'float32'>();
  sums.dispose();
  return values;
}

const normOf = (squared: Float32Array, parts: readonly number[]): number =>
  Math.sqrt(parts.reduce((sum, i) => sum + squared[i], 0));

/** Six significant digits: what float32 holds of a sum, in a third of the text. */
const short = (value: number): number => Number(value.toPrecision(6));
