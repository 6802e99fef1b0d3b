// The golden training steps of data-scripts/golden/resnet_steps.py, and the closed formulas that give their weights and
// batches.
import fs from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../src/base/home';
import { buildResNet } from '../../src/backbones/families/resnet';
import type { Backbone } from '../../src/backbones/backbone';
import { sizeOf, type StateDict } from '../../src/backbones/weights/readers/state-dict';

/** A case of resnet-steps.json; the maker's doc comment says what each field is. */
export interface GoldenCase {
  block: 'basic' | 'bottleneck';
  layers: number[];
  width: number;
  classes: number;
  size: number;
  batch: number;
  optimizer: { learningRate: number; momentum: number; weightDecay: number };
  tensors: {
    name: string;
    shape: number[];
    kind: 'conv' | 'scale' | 'offset' | 'mean' | 'variance' | 'linear' | 'bias';
  }[];
  evaluation: number[][];
  steps: { loss: number }[];
  statistics: Record<string, number[]>;
  sums: Record<string, [number, number]>;
  evaluationAfter: number[][];
  l2sp: {
    alpha: number;
    beta: number;
    penalty: number;
    penaltyGradientNorms: Record<string, number>;
    gradientNorms: Record<string, number>;
    steps: { loss: number; crossEntropy: number }[];
    sums: Record<string, [number, number]>;
  };
}

/** The path of a file in test/fixtures/backbones. */
export const fixture = (...parts: string[]): string =>
  path.join(packageRoot(), 'test', 'fixtures', 'backbones', ...parts);

export const goldenCases: GoldenCase[] = (
  JSON.parse(fs.readFileSync(fixture('resnet-steps.json'), 'utf8')) as { cases: GoldenCase[] }
).cases;

const wave = (place: number, i: number): number => Math.sin(i * i + place);

/** The weights before the first step, with torchvision's names and layouts. */
export function startingWeights({ tensors }: GoldenCase): StateDict {
  return new Map(
    tensors.map(({ name, shape, kind }, place) => {
      const of = (w: number): number => {
        if (kind === 'conv') return (2 / Math.sqrt(sizeOf(shape.slice(1)))) * w;
        if (kind === 'scale' || kind === 'variance') return 1 + 0.1 * w;
        return kind === 'linear' ? w / Math.sqrt(shape[1]) : 0.1 * w;
      };
      return [
        name,
        { shape, dtype: 'float32', data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => of(wave(place, i))) },
      ];
    }),
  );
}

/** The network of a case with its starting weights. */
export function goldenNetwork(golden: GoldenCase): Backbone {
  const { block, layers, width, classes } = golden;
  return buildResNet({ block, layers, width, classes }, startingWeights(golden));
}

/** Images [batch, size, size, 3] and labels [batch] of a step, from 0. */
export function goldenBatch(
  { batch, size, classes }: GoldenCase,
  step: number,
): { images: Int32Array; labels: Int32Array } {
  return {
    images: Int32Array.from({ length: batch * size * size * 3 }, (_, i) =>
      Math.round(127.5 + 127.5 * wave(1000 + step, i)),
    ),
    labels: Int32Array.from({ length: batch }, (_, k) => (step * batch + k) % classes),
  };
}
