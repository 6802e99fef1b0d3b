// EfficientNet-Lite 0, 1 and 2: Tan and Le's EfficientNet (ICML 2019) without squeeze-and-excitation and with ReLU6.
import type { BackboneDefinition } from '../define-backbone';
import { baseStages as stages, widened, type Size, type Stage } from './efficientnet';
import { chain, LayerFactory, relu6, tap, type Layer, type Network } from '../layers';
import { torch } from '../parameters';
import { weightsManifest } from '../weights/store';

const stemWidth = 32;
const featureSize = 1280;
/** PyTorch's default, with which the kit trains all backbones; the weights were made with 0.01. */
const batchNormMomentum = 0.1;
const epsilon = 1e-3;

/**
 * In the Lite networks the stem and the last layer stay as they are at all sizes, and the first and last stage are not
 * repeated more.
 */
function stagesOf({ width, depth }: Size): Stage[] {
  return stages.map((stage, i) => {
    const outermost = i === 0 || i === stages.length - 1;
    return {
      ...stage,
      outputs: widened(stage.outputs, width),
      repeats: outermost ? stage.repeats : Math.ceil(stage.repeats * depth),
    };
  });
}

/** Expand, filter each channel, project; the input is added where stride and channels allow. */
function invertedResidual(
  net: LayerFactory,
  name: string,
  inputs: number,
  { size, stride, expansion, outputs }: Stage,
): Layer {
  const inner = inputs * expansion;
  const expand = () => [
    net.conv(`${name}._expand_conv`, { size: 1, inputs, outputs: inner }),
    net.batchNorm(`${name}._bn0`, inner),
    relu6,
  ];
  const block = chain(
    ...(expansion === 1 ? [] : expand()),
    net.depthwiseConv(`${name}._depthwise_conv`, { size, channels: inner, stride }),
    net.batchNorm(`${name}._bn1`, inner),
    relu6,
    net.conv(`${name}._project_conv`, { size: 1, inputs: inner, outputs }),
    net.batchNorm(`${name}._bn2`, outputs),
  );
  return stride === 1 && inputs === outputs ? net.residual(block) : block;
}

/**
 * The network. Dropout before the head and drop connect, with which the weights were trained, are left out: the kit's
 * tricks add such noise.
 */
function build(size: Size, classes: number): Network {
  const net = new LayerFactory(torch, { epsilon, momentum: batchNormMomentum });
  const layers: Layer[] = [
    net.conv('_conv_stem', { size: 3, inputs: 3, outputs: stemWidth, stride: 2 }),
    net.batchNorm('_bn0', stemWidth),
    relu6,
    tap('stem'),
  ];
  let inputs = stemWidth;
  let block = 0;
  stagesOf(size).forEach((stage, i) => {
    for (let repeat = 0; repeat < stage.repeats; repeat++) {
      layers.push(invertedResidual(net, `_blocks.${block++}`, inputs, repeat === 0 ? stage : { ...stage, stride: 1 }));
      inputs = stage.outputs;
    }
    layers.push(tap(`stage${i + 1}`));
  });
  layers.push(
    net.conv('_conv_head', { size: 1, inputs, outputs: featureSize }),
    net.batchNorm('_bn1', featureSize),
    relu6,
    tap('last'),
  );
  const head = net.head('_fc', featureSize, classes);
  return { ...net.network(chain(...layers)), head };
}

/**
 * Claims and input sizes: tensorflow/tpu, models/official/efficientnet/lite/README.md; the crop leaves 32 pixels of the
 * short side.
 */
function efficientNetLite(
  version: number,
  size: Size,
  inputSize: number,
  top1Claimed: number,
  parameters: number,
): BackboneDefinition {
  const id = `efficientnet_lite${version}.tf_in1k`;
  const manifest = weightsManifest(id);
  return {
    record: {
      id,
      title: `EfficientNet-Lite${version}, ImageNet weights of its authors`,
      family: 'efficientnet-lite',
      inputSize,
      resizeSize: inputSize + 32,
      featureSize,
      mean: [127, 127, 127],
      std: [128, 128, 128],
      channelOrder: 'rgb',
      head: { weight: '_fc.weight', bias: '_fc.bias' },
      taps: ['stem', ...stages.map((_, i) => `stage${i + 1}`), 'last'],
      weights: manifest,
      licence: manifest.licence,
      top1Claimed,
      parameters,
      batchNormMomentum,
    },
    version: 1,
    build: (classes) => build(size, classes),
  };
}

/** EfficientNet-Lite0 to Lite2, with the ImageNet weights that a registry holds. */
export const efficientNetLites: BackboneDefinition[] = [
  efficientNetLite(0, { width: 1, depth: 1 }, 224, 0.751, 4_652_008),
  efficientNetLite(1, { width: 1, depth: 1.1 }, 240, 0.767, 5_416_680),
  efficientNetLite(2, { width: 1.1, depth: 1.2 }, 260, 0.776, 6_092_072),
];
