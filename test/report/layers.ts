// Synthetic rows of layers for the tests of figures and frames: every number a plain function of its arguments.
import type { LayerRow } from '../../src/runs/store/record';
import { randomStream } from '../../src/base/random';
import type { LayeredRun } from '../../src/report/frames/layer-frames';
import { syntheticStudy, type SyntheticRun } from './records';

/** The layers of a small network, input side first. */
export const LAYERS: readonly Pick<LayerRow, 'layer' | 'kind'>[] = [
  { layer: '_conv_stem', kind: 'kernel' },
  { layer: '_bn0', kind: 'norm' },
  { layer: '_blocks.0._depthwise_conv', kind: 'kernel' },
  { layer: '_blocks.0._bn1', kind: 'norm' },
  { layer: '_blocks.0._project_conv', kind: 'kernel' },
  { layer: '_blocks.0._bn2', kind: 'norm' },
  { layer: '_fc', kind: 'head' },
];

/**
 * Runs whose gradients fall over the epochs and rise after a reset, more so at the head; the distance grows towards the
 * head.
 */
export function syntheticLayers(
  values: Record<string, readonly number[]>,
  run: SyntheticRun = {},
  layers = LAYERS,
): LayeredRun[] {
  return syntheticStudy(values, run).map((record) => {
    const rows = record.epochs.flatMap(({ epoch }) =>
      layers.map(({ layer, kind }, place): LayerRow => {
        const depth = (place + 1) / layers.length;
        const reset = Math.max(0, ...record.resets.filter((each) => each < epoch));
        const noise = Math.exp(randomStream(record.spec.seed, `test/${record.method}/${layer}`, epoch).normal(0, 0.08));
        const gradientNorm = noise * depth * Math.exp(-(epoch - reset) / 6) * (reset > 0 ? 1.3 : 1);
        return {
          epoch,
          layer,
          place,
          kind,
          gradientNorm,
          updateNorm: gradientNorm / 100,
          weightDistance: noise * 0.01 * depth * Math.sqrt(epoch) * (record.resets.length > 0 ? 1.5 : 1),
        };
      }),
    );
    return { record, layers: rows };
  });
}
