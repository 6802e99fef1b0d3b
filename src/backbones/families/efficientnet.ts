// EfficientNet B0 to B4 (Tan and Le, ICML 2019): inverted residual blocks with squeeze-and-excitation, with the names
// of torchvision.
import { tf } from '../../engine/tensorflow';
import type { BackboneDefinition } from '../define-backbone';
import { around, chain, LayerFactory, sigmoid, silu, squeeze, tap, type Layer, type Network } from '../layers';
import { torch } from '../parameters';
import { batchNormMomentum, torchvisionRecord } from './torchvision';

/** A stage of inverted residual blocks: the first block changes stride and channels, the others keep them. */
export interface Stage {
  repeats: number;
  /** Side of the depthwise filter. */
  size: number;
  /** Of the first block. */
  stride: number;
  /** The inside of a block is so many times as wide as its input. */
  expansion: number;
  outputs: number;
}

/** The stages of B0: table 1 of the paper. */
export const baseStages: readonly Stage[] = [
  { repeats: 1, size: 3, stride: 1, expansion: 1, outputs: 16 },
  { repeats: 2, size: 3, stride: 2, expansion: 6, outputs: 24 },
  { repeats: 2, size: 5, stride: 2, expansion: 6, outputs: 40 },
  { repeats: 3, size: 3, stride: 2, expansion: 6, outputs: 80 },
  { repeats: 3, size: 5, stride: 1, expansion: 6, outputs: 112 },
  { repeats: 4, size: 5, stride: 2, expansion: 6, outputs: 192 },
  { repeats: 1, size: 3, stride: 1, expansion: 6, outputs: 320 },
];

/** How much wider and deeper than B0: section 3.3 of the paper. */
export interface Size {
  width: number;
  depth: number;
}

/** Channels at `width` times the base: the nearest multiple of 8, but never more than a tenth below. */
export function widened(channels: number, width: number): number {
  const wanted = channels * width;
  const rounded = Math.max(8, Math.floor(wanted / 8 + 0.5) * 8);
  return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

const stemWidth = 32;
const lastWidth = 1280;
const headName = 'classifier.1';

/** Each channel times a number in (0, 1) that the means of all channels say (Hu et al., CVPR 2018). */
function squeezeAndExcite(net: LayerFactory, name: string, channels: number, squeezed: number): Layer {
  const gate = chain(
    squeeze,
    net.conv(`${name}.fc1`, { size: 1, inputs: channels, outputs: squeezed, bias: true }),
    silu,
    net.conv(`${name}.fc2`, { size: 1, inputs: squeezed, outputs: channels, bias: true }),
    sigmoid,
  );
  return (x, pass) => tf.mul(x, gate(x, pass));
}

/** Expand, filter each channel, weigh the channels, project; the input is added where stride and channels allow. */
function invertedResidual(
  net: LayerFactory,
  name: string,
  inputs: number,
  { size, stride, expansion, outputs }: Stage,
): Layer {
  const inner = inputs * expansion;
  let place = 0;
  const expand = () => [
    net.conv(`${name}.${place}.0`, { size: 1, inputs, outputs: inner }),
    net.batchNorm(`${name}.${place++}.1`, inner),
    silu,
  ];
  const block = chain(
    ...(expansion === 1 ? [] : expand()),
    net.depthwiseConv(`${name}.${place}.0`, { size, channels: inner, stride, padding: around(size) }),
    net.batchNorm(`${name}.${place++}.1`, inner),
    silu,
    squeezeAndExcite(net, `${name}.${place++}`, inner, inputs / 4),
    net.conv(`${name}.${place}.0`, { size: 1, inputs: inner, outputs }),
    net.batchNorm(`${name}.${place}.1`, outputs),
  );
  return stride === 1 && inputs === outputs ? net.residual(block) : block;
}

/**
 * The network. Dropout before the head and stochastic depth (drop path), with which the weights were trained, are left
 * out: the kit's tricks add such noise, at the residual blocks and at the head.
 */
function build({ width, depth }: Size, classes: number): Network {
  const net = new LayerFactory(torch, { epsilon: 1e-5, momentum: batchNormMomentum });
  let inputs = widened(stemWidth, width);
  const layers: Layer[] = [
    net.conv('features.0.0', { size: 3, inputs: 3, outputs: inputs, stride: 2, padding: around(3) }),
    net.batchNorm('features.0.1', inputs),
    silu,
    tap('stem'),
  ];
  baseStages.forEach((base, i) => {
    const stage = { ...base, outputs: widened(base.outputs, width), repeats: Math.ceil(base.repeats * depth) };
    for (let repeat = 0; repeat < stage.repeats; repeat++) {
      layers.push(
        invertedResidual(
          net,
          `features.${i + 1}.${repeat}.block`,
          inputs,
          repeat === 0 ? stage : { ...stage, stride: 1 },
        ),
      );
      inputs = stage.outputs;
    }
    layers.push(tap(`stage${i + 1}`));
  });
  const last = `features.${baseStages.length + 1}`;
  const features = widened(lastWidth, width);
  layers.push(
    net.conv(`${last}.0`, { size: 1, inputs, outputs: features }),
    net.batchNorm(`${last}.1`, features),
    silu,
    tap('last'),
  );
  return { ...net.network(chain(...layers)), head: net.head(headName, features, classes) };
}

function efficientNet(version: number, size: Size): BackboneDefinition {
  return {
    record: torchvisionRecord(`efficientnet_b${version}.tv_in1k`, {
      title: `EfficientNet-B${version}`,
      family: 'efficientnet',
      featureSize: widened(lastWidth, size.width),
      head: headName,
      taps: ['stem', ...baseStages.map((_, i) => `stage${i + 1}`), 'last'],
    }),
    version: 1,
    build: (classes) => build(size, classes),
  };
}

/** EfficientNet-B0 to B4. */
export const efficientNets: BackboneDefinition[] = [
  efficientNet(0, { width: 1, depth: 1 }),
  efficientNet(1, { width: 1, depth: 1.1 }),
  efficientNet(2, { width: 1.1, depth: 1.2 }),
  efficientNet(3, { width: 1.2, depth: 1.4 }),
  efficientNet(4, { width: 1.4, depth: 1.8 }),
];
