// MobileNetV1 (Howard et al. 2017): depthwise separable convolutions, with the names of TensorFlow-Slim.
import type { BackboneDefinition } from '../define-backbone';
import { chain, LayerFactory, relu6, tap, type Layer, type Network } from '../layers';
import { slim, type FileConvention } from '../parameters';
import { sizeOf, type StateDict } from '../weights/readers/state-dict';
import { weightsManifest } from '../weights/store';

/** Outputs and stride of each separable convolution, table 1 of the paper; a stage ends before the next stride. */
const stages: { outputs: number; stride: number }[][] = [
  [{ outputs: 64, stride: 1 }],
  [
    { outputs: 128, stride: 2 },
    { outputs: 128, stride: 1 },
  ],
  [
    { outputs: 256, stride: 2 },
    { outputs: 256, stride: 1 },
  ],
  [{ outputs: 512, stride: 2 }, ...Array<{ outputs: number; stride: number }>(5).fill({ outputs: 512, stride: 1 })],
  [
    { outputs: 1024, stride: 2 },
    { outputs: 1024, stride: 1 },
  ],
];

const stemWidth = 32;
const featureSize = 1024;
const epsilon = 1e-3; // of every batch normalisation in the frozen graph
/** PyTorch's default, with which the kit trains all backbones; the weights were made with 0.003. */
const batchNormMomentum = 0.1;

/**
 * Names of the frozen graph's constants that are no weights: of shapes, of epsilon, and of the package's own last
 * layer.
 */
const convention: FileConvention = { ...slim, ignore: /\/Reshape\/shape$|\/batchnorm\/add\/y$|^final_training_ops\// };

const headName = 'MobilenetV1/Logits/Conv2d_1c_1x1';
const head = { weight: headName + convention.suffix.weight, bias: headName + convention.suffix.bias };

/** Filter each channel, then mix them: each followed by batch normalisation and ReLU6 (figure 3 of the paper). */
function separable(
  net: LayerFactory,
  name: string,
  inputs: number,
  { outputs, stride }: { outputs: number; stride: number },
): Layer {
  return chain(
    net.depthwiseConv(`${name}_depthwise`, { size: 3, channels: inputs, stride }),
    net.batchNorm(`${name}_depthwise`, inputs),
    relu6,
    net.conv(`${name}_pointwise`, { size: 1, inputs, outputs }),
    net.batchNorm(`${name}_pointwise`, outputs),
    relu6,
  );
}

/** The network at width 1. Dropout before the head is left out: the kit's tricks add such noise. */
function build(classes: number): Network {
  const net = new LayerFactory(convention, { epsilon, momentum: batchNormMomentum });
  const layers: Layer[] = [
    net.conv('MobilenetV1/Conv2d_0', { size: 3, inputs: 3, outputs: stemWidth, stride: 2 }),
    net.batchNorm('MobilenetV1/Conv2d_0', stemWidth),
    relu6,
    tap('stem'),
  ];
  let inputs = stemWidth;
  let block = 0;
  stages.forEach((blocks, i) => {
    for (const settings of blocks) {
      layers.push(separable(net, `MobilenetV1/Conv2d_${++block}`, inputs, settings));
      inputs = settings.outputs;
    }
    layers.push(tap(`stage${i + 1}`));
  });
  return { ...net.network(chain(...layers)), head: net.head(headName, featureSize, classes) };
}

/**
 * The head of the frozen graph without its first output, which means "none of these" and is none of ImageNet's 1000
 * classes: the others then have the numbers that they have in every other backbone.
 */
function withoutBackground(tensors: StateDict): StateDict {
  const [weight, bias] = [tensors.get(head.weight), tensors.get(head.bias)];
  const outputs = bias ? sizeOf(bias.shape) : 0;
  if (!weight || !bias || outputs < 2 || weight.shape.at(-1) !== outputs) return tensors;
  const kept = weight.data.filter((_: number | bigint, i: number) => i % outputs !== 0);
  return new Map([
    ...tensors,
    [head.weight, { ...weight, shape: [...weight.shape.slice(0, -1), outputs - 1], data: kept }],
    [head.bias, { ...bias, shape: [outputs - 1], data: bias.data.slice(1) }],
  ]);
}

const manifest = weightsManifest('mobilenet_v1.tf_in1k');

/** MobileNetV1 at width 1, with the ImageNet weights that a registry holds. */
export const mobileNetV1: BackboneDefinition[] = [
  {
    record: {
      id: manifest.id,
      title: 'MobileNetV1, ImageNet weights of TensorFlow-Slim',
      family: 'mobilenet-v1',
      inputSize: 224,
      resizeSize: 256, // Slim crops the middle 87.5 %
      featureSize,
      mean: [127.5, 127.5, 127.5],
      std: [127.5, 127.5, 127.5],
      channelOrder: 'rgb',
      head,
      taps: ['stem', ...stages.map((_, i) => `stage${i + 1}`)],
      weights: manifest,
      licence: manifest.licence,
      top1Claimed: 0.709, // tensorflow/models, research/slim/nets/mobilenet_v1.md
      parameters: 4_231_976, // with the head for 1000 classes
      batchNormMomentum,
    },
    version: 1,
    build,
    adapt: (tensors, format) => (format === 'graphdef' ? withoutBackground(tensors) : tensors),
  },
];
