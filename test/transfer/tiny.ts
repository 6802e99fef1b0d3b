// A tiny real task for the trainer's tests: a small residual network with golden weights, on batches made by closed
// formulas.
import type { Backbone } from '../../src/backbones/backbone';
import type { Batch } from '../../src/data/batches/batches';
import { parseRunSpec, type RunSpec, type RunSpecInput } from '../../src/transfer/spec/spec';
import type { BatchSource } from '../../src/transfer/train-state';
import { goldenBatch, goldenCases, goldenNetwork, type GoldenCase } from '../backbones/golden-resnet';

/** The first golden case: basic or bottleneck blocks, a few thousand parameters, milliseconds a step. */
export const golden: GoldenCase = goldenCases[0];

/** Its network, new each time. */
export const tinyNetwork = (): Backbone => goldenNetwork(golden);

/** A spec for it. */
export const tinySpec = (changes: Partial<RunSpecInput> = {}): RunSpec =>
  parseRunSpec({
    dataset: 'golden',
    backbone: 'golden',
    batchSize: golden.batch,
    epochs: 1,
    schedule: { name: 'constant' },
    optimizer: golden.optimizer,
    ...changes,
  });

/** `count` golden batches an epoch, the same in every epoch; the last has only `lastSize` images. */
export function tinyBatches(count: number, lastSize = golden.batch): BatchSource {
  return {
    batchSizes: Array.from({ length: count }, (_, i) => (i === count - 1 ? lastSize : golden.batch)),
    waitedSeconds: 0,
    async *epoch(_, { from = 0 } = {}): AsyncGenerator<Batch> {
      for (let index = from; index < count; index++) {
        const { images, labels } = goldenBatch(golden, index);
        const size = index === count - 1 ? lastSize : golden.batch;
        yield {
          images: Uint8Array.from(images.subarray(0, size * golden.size ** 2 * 3)),
          labels: labels.slice(0, size),
          size,
          index,
          count,
        };
      }
    },
  };
}
