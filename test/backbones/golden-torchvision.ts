// The golden values of data-scripts/golden/torchvision_backbones.py, and the closed formulas that give their weights and images.
import fs from 'node:fs';
import zlib from 'node:zlib';
import { assemble, type BackboneDefinition } from '../../src/backbones/assemble';
import type { Backbone } from '../../src/backbones/backbone';
import { denseNets } from '../../src/backbones/densenet';
import { efficientNets } from '../../src/backbones/efficientnet';
import { inceptionV3 } from '../../src/backbones/inception-v3';
import { mobileNetV2 } from '../../src/backbones/mobilenet-v2';
import { resnets } from '../../src/backbones/resnet';
import { sizeOf, type StateDict } from '../../src/backbones/weights/state-dict';
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
export interface TorchvisionCase {
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

/** A case by the name of its network. */
export const torchvisionCase = (name: string): TorchvisionCase => JSON.parse(fs.readFileSync(fixture('torchvision', `${name}.json`), 'utf8')) as TorchvisionCase;

/** Names and shapes of the state dict of every network with 1000 classes, as torchvision has them, by id. */
export const torchvisionShapes = (): Record<string, [name: string, shape: number[]][]> =>
  JSON.parse(zlib.gunzipSync(fs.readFileSync(fixture('torchvision', 'shapes.json.gz'))).toString()) as Record<string, [string, number[]][]>;

/** All definitions of torchvision's networks. */
export const torchvisionNetworks: BackboneDefinition[] = [...resnets, ...inceptionV3, ...denseNets, ...mobileNetV2, ...efficientNets].filter(({ record }) => record.id.includes('.tv_'));

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

/** The tensors of a network by the formula of the maker. */
export function formulaWeights(entries: readonly [name: string, shape: number[]][], offset: number): StateDict {
  return new Map(
    entries.map(([name, shape], place) => {
      const data = new Float32Array(sizeOf(shape));
      const [base, scale] = shape.length > 1 ? [0, Math.sqrt(6 / sizeOf(shape.slice(1)))] : [/running_var$|weight$/.test(name) ? 1 : name.endsWith('running_mean') ? 0 : offset, 0.1];
      for (let i = 0; i < data.length; i++) data[i] = base + scale * uniform(place, i);
      return [name, { shape, dtype: 'float32', data }];
    }),
  );
}

/** The network of a case, filled by formula. */
export function formulaNetwork({ id, offset }: TorchvisionCase): Backbone {
  const definition = torchvisionNetworks.find(({ record }) => record.id === id)!;
  const entries = [...definition.build(classes).parameters].map(([name, { fileShape }]) => [name, fileShape] as [string, number[]]);
  return assemble(definition, { classes, seed: 0, weights: { stateDict: formulaWeights(entries, offset), format: 'pth', source: 'the formula', hash: '' } });
}

/** Images [batch, size, size, 3] and labels [batch] of a case. */
export function formulaBatch({ batch, size }: TorchvisionCase): { images: Int32Array; labels: Int32Array } {
  return {
    images: Int32Array.from({ length: batch * size * size * 3 }, (_, i) => Math.round(127.5 + 127.5 * uniform(1_000_000, i))),
    labels: Int32Array.from({ length: batch }, (_, k) => k % classes),
  };
}
