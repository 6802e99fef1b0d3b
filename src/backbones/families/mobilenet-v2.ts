// MobileNetV2 (Sandler et al., CVPR 2018): inverted residual blocks with linear bottlenecks, with the names of
// torchvision.
import type { BackboneDefinition } from '../define-backbone';
import { around, chain, LayerFactory, relu6, tap, type Layer, type Network } from '../layers';
import { torch } from '../parameters';
import { batchNormMomentum, torchvisionRecord } from './torchvision';

/** A row of table 2 of the paper: t, c, n and s. */
interface Stage {
  /** The inside of a block is so many times as wide as its input. */
  expansion: number;
  outputs: number;
  repeats: number;
  /** Of the first block. */
  stride: number;
}

const stages: Stage[] = [
  { expansion: 1, outputs: 16, repeats: 1, stride: 1 },
  { expansion: 6, outputs: 24, repeats: 2, stride: 2 },
  { expansion: 6, outputs: 32, repeats: 3, stride: 2 },
  { expansion: 6, outputs: 64, repeats: 4, stride: 2 },
  { expansion: 6, outputs: 96, repeats: 3, stride: 1 },
  { expansion: 6, outputs: 160, repeats: 3, stride: 2 },
  { expansion: 6, outputs: 320, repeats: 1, stride: 1 },
];

const stemWidth = 32;
const featureSize = 1280;
const headName = 'classifier.1';

/**
 * Expand, filter each channel, project without a rectifier (figure 4d of the paper); the input is added where stride
 * and channels allow.
 */
function invertedResidual(
  net: LayerFactory,
  name: string,
  inputs: number,
  { expansion, outputs, stride }: Omit<Stage, 'repeats'>,
): Layer {
  const inner = inputs * expansion;
  let place = 0;
  const expand = () => [
    net.conv(`${name}.conv.${place}.0`, { size: 1, inputs, outputs: inner }),
    net.batchNorm(`${name}.conv.${place++}.1`, inner),
    relu6,
  ];
  const block = chain(
    ...(expansion === 1 ? [] : expand()),
    net.depthwiseConv(`${name}.conv.${place}.0`, { size: 3, channels: inner, stride, padding: around(3) }),
    net.batchNorm(`${name}.conv.${place++}.1`, inner),
    relu6,
    net.conv(`${name}.conv.${place++}`, { size: 1, inputs: inner, outputs }),
    net.batchNorm(`${name}.conv.${place}`, outputs),
  );
  return stride === 1 && inputs === outputs ? net.residual(block) : block;
}

/** The network at width 1. Dropout before the head is left out: the kit's tricks add such noise. */
function build(classes: number): Network {
  const net = new LayerFactory(torch, { epsilon: 1e-5, momentum: batchNormMomentum });
  const layers: Layer[] = [
    net.conv('features.0.0', { size: 3, inputs: 3, outputs: stemWidth, stride: 2, padding: around(3) }),
    net.batchNorm('features.0.1', stemWidth),
    relu6,
    tap('stem'),
  ];
  let inputs = stemWidth;
  let place = 1;
  stages.forEach(({ repeats, ...stage }, i) => {
    for (let repeat = 0; repeat < repeats; repeat++) {
      layers.push(invertedResidual(net, `features.${place++}`, inputs, repeat === 0 ? stage : { ...stage, stride: 1 }));
      inputs = stage.outputs;
    }
    layers.push(tap(`stage${i + 1}`));
  });
  layers.push(
    net.conv(`features.${place}.0`, { size: 1, inputs, outputs: featureSize }),
    net.batchNorm(`features.${place}.1`, featureSize),
    relu6,
    tap('last'),
  );
  return { ...net.network(chain(...layers)), head: net.head(headName, featureSize, classes) };
}

/** MobileNetV2 at width 1. */
export const mobileNetV2: BackboneDefinition[] = [
  {
    record: torchvisionRecord('mobilenet_v2.tv_in1k', {
      title: 'MobileNetV2',
      family: 'mobilenet-v2',
      featureSize,
      head: headName,
      taps: ['stem', ...stages.map((_, i) => `stage${i + 1}`), 'last'],
    }),
    version: 1,
    build,
  },
];
