// The golden values of data-scripts/golden/backbones.py, and the closed formulas that give their weights and images.
import fs from 'node:fs';
import zlib from 'node:zlib';
import { assemble } from '../../src/backbones/assemble';
import type { BackboneDefinition } from '../../src/backbones/define-backbone';
import type { Backbone } from '../../src/backbones/backbone';
import { denseNets } from '../../src/backbones/families/densenet';
import { efficientNets } from '../../src/backbones/families/efficientnet';
import { efficientNetLites } from '../../src/backbones/families/efficientnet-lite';
import { inceptionV3 } from '../../src/backbones/families/inception-v3';
import { mobileNetV1 } from '../../src/backbones/families/mobilenet-v1';
import { mobileNetV2 } from '../../src/backbones/families/mobilenet-v2';
import { resnets } from '../../src/backbones/families/resnet';
import { sizeOf, type StateDict } from '../../src/backbones/weights/readers/state-dict';
import { fixture } from './golden-resnet';

/** What is kept of a tensor, channels last. */
export interface Summary {
  shape: number[];
  mean: number;
  norm: number;
  /** Elements at floor(k (n - 1) / 5), k = 0..5, of the flattened tensor. */
  values: number[];
}

/** What is kept of a forward pass. */
export interface GoldenPass {
  logits: number[][];
  features: Summary;
  taps: Record<string, Summary>;
}

/** A case; the maker's doc comment says what each field is. */
export interface NetworkCase {
  id: string;
  size: number;
  batch: number;
  offset: number;
  evaluation: GoldenPass;
  training?: GoldenPass;
  auxiliary?: number[][];
  loss?: number;
  gradientNorms?: number[];
  statistics?: [number, number][];
  halved?: number[][];
}

const classes = 10;

/** Every case, in the order of the alphabet. */
export const networkCases = (): NetworkCase[] =>
  fs
    .readdirSync(fixture('golden'))
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(fs.readFileSync(fixture('golden', name), 'utf8')) as NetworkCase);

/** Names and shapes of the state dict of every network with 1000 classes, as torchvision has them, by id. */
export const torchvisionShapes = (): Record<string, [name: string, shape: number[]][]> =>
  JSON.parse(zlib.gunzipSync(fs.readFileSync(fixture('golden', 'shapes.json.gz'))).toString()) as Record<
    string,
    [string, number[]][]
  >;

/** All definitions. */
export const networks: BackboneDefinition[] = [
  ...resnets,
  ...inceptionV3,
  ...denseNets,
  ...mobileNetV1,
  ...mobileNetV2,
  ...efficientNets,
  ...efficientNetLites,
];

/** Those of torchvision. */
export const torchvisionNetworks = networks.filter(({ record }) => record.id.includes('.tv_'));

/** A number in [-1, 1) from the place of a tensor and the place of an element in it. */
function uniform(place: number, i: number): number {
  let h = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(place + 1, 0x85ebca6b);
  h ^= h >>> 16;
  h = Math.imul(h, 0x21f0aaad);
  h ^= h >>> 15;
  h = Math.imul(h, 0x735a2d97);
  h ^= h >>> 15;
  return (h >>> 0) / 2 ** 31 - 1;
}

/**
 * A tensor of a file: its name, its shape there, and of a convolution or linear layer how many numbers each output is a
 * sum of (as PyTorch lays it out).
 */
export type FormulaEntry = [name: string, shape: number[], fanIn?: number];

/** The tensors of a network by the formula of the maker. */
export function formulaWeights(entries: readonly FormulaEntry[], offset: number): StateDict {
  return new Map(
    entries.map(([name, shape, fanIn = sizeOf(shape.slice(1))], place) => {
      const data = new Float32Array(sizeOf(shape));
      const [base, scale] = shape.length > 1 ? [0, Math.sqrt(6 / fanIn)] : [baseOf(name, offset), 0.1];
      for (let i = 0; i < data.length; i++) data[i] = base + scale * uniform(place, i);
      return [name, { shape, dtype: 'float32', data }];
    }),
  );
}

/** What the numbers of a vector lie around. */
function baseOf(name: string, offset: number): number {
  if (/(running_var|moving_variance|weight|gamma)$/.test(name)) return 1;
  return /(running|moving)_mean$/.test(name) ? 0 : offset;
}

/** In memory: convolution [height, width, in, out], depthwise [height, width, channels, 1], linear [in, out]. */
function fanInOf(shape: readonly number[]): number {
  return shape.length === 4 && shape[3] === 1 ? shape[0] * shape[1] : sizeOf(shape.slice(0, -1));
}

/** The network of a case, filled by formula. */
export function formulaNetwork({ id, offset }: NetworkCase): Backbone {
  const definition = networks.find(({ record }) => record.id === id)!;
  const entries = [...definition.build(classes).parameters].map(([name, { shape, fileShape }]): FormulaEntry => [
    name,
    fileShape,
    fanInOf(shape),
  ]);
  return assemble(definition, {
    classes,
    seed: 0,
    weights: { stateDict: formulaWeights(entries, offset), format: null, source: 'the formula', hash: '' },
  });
}

/** Images [batch, size, size, 3] and labels [batch] of a case. */
export function formulaBatch({ batch, size }: NetworkCase): { images: Int32Array; labels: Int32Array } {
  return {
    images: Int32Array.from({ length: batch * size * size * 3 }, (_, i) =>
      Math.round(127.5 + 127.5 * uniform(1_000_000, i)),
    ),
    labels: Int32Array.from({ length: batch }, (_, k) => k % classes),
  };
}
