// Residual networks (He et al., CVPR 2016): one description for all depths, with the names of Keras and of torchvision.
import { assemble } from '../assemble';
import type { BackboneDefinition } from '../define-backbone';
import { chain, identity, LayerFactory, maxPool, relu, tap, type Layer, type Network } from '../layers';
import { countTrainable, keras, torch, type FileConvention } from '../parameters';
import type { Backbone, BackboneRecord } from '../record';
import { batchNormMomentum, imageNetPixels, torchvisionRecord } from './torchvision';
import { hashStateDict, type StateDict } from '../weights/readers/state-dict';
import { weightsManifest } from '../weights/store';

/** What the residual networks differ in. */
export interface ResNetPlan {
  /** `basic`: two 3x3 convolutions. `bottleneck`: 1x1, 3x3, and 1x1 to four times the channels. */
  block: 'basic' | 'bottleneck';
  /** Blocks in each stage. Every stage but the first halves height and width and doubles the channels. */
  layers: number[];
  /** Channels inside the blocks of the first stage, and of the stem. */
  width: number;
  /**
   * Which convolution of a bottleneck has the stride: its first (v1, the paper's) or its second (v1.5, torchvision's).
   */
  stridedConv: 0 | 1;
  /** Whether convolutions add a bias. */
  bias: boolean;
  /** Added to the variance in batch normalisation. */
  epsilon: number;
  names: ResNetNames;
}

/** Names of the layers; stage, block and convolution count from 0. */
export interface ResNetNames {
  convention: FileConvention;
  stem: { conv: string; norm: string };
  block(
    stage: number,
    block: number,
  ): { conv(i: number): string; norm(i: number): string; shortcut: { conv: string; norm: string } };
  head: string;
}

/** torchvision's and timm's names. */
export const torchvisionNames: ResNetNames = {
  convention: torch,
  stem: { conv: 'conv1', norm: 'bn1' },
  block(stage, block) {
    const name = `layer${stage + 1}.${block}`;
    return {
      conv: (i) => `${name}.conv${i + 1}`,
      norm: (i) => `${name}.bn${i + 1}`,
      shortcut: { conv: `${name}.downsample.0`, norm: `${name}.downsample.1` },
    };
  },
  head: 'fc',
};

/** The names of keras-applications, which are those of the authors' Caffe files. */
export const kerasNames: ResNetNames = {
  convention: keras,
  stem: { conv: 'conv1', norm: 'bn_conv1' },
  block(stage, block) {
    const letter = (i: number) => 'abcdefghijklmnopqrstuvwxyz'[i];
    const name = `${stage + 2}${letter(block)}_branch`;
    return {
      conv: (i) => `res${name}2${letter(i)}`,
      norm: (i) => `bn${name}2${letter(i)}`,
      shortcut: { conv: `res${name}1`, norm: `bn${name}1` },
    };
  },
  head: 'fc1000',
};

const expansionOf = ({ block }: ResNetPlan): number => (block === 'bottleneck' ? 4 : 1);

const featureSizeOf = (plan: ResNetPlan): number => plan.width * 2 ** (plan.layers.length - 1) * expansionOf(plan);

/** relu(convolutions(x) + x), where x goes through a 1x1 convolution of its own when its size or channels change. */
function residualBlock(
  net: LayerFactory,
  plan: ResNetPlan,
  at: { stage: number; block: number; inputs: number },
): Layer {
  const { conv, norm, shortcut } = plan.names.block(at.stage, at.block);
  const width = plan.width * 2 ** at.stage;
  const outputs = width * expansionOf(plan);
  const blockStride = at.stage > 0 && at.block === 0 ? 2 : 1;
  const sizes = plan.block === 'basic' ? [3, 3] : [1, 3, 1];
  const strided = plan.block === 'basic' ? 0 : plan.stridedConv;

  const main = sizes.flatMap((size, i) => {
    const last = i === sizes.length - 1;
    const channels = last ? outputs : width;
    return [
      net.conv(conv(i), {
        size,
        inputs: i === 0 ? at.inputs : width,
        outputs: channels,
        stride: i === strided ? blockStride : 1,
        padding: (size - 1) / 2,
        bias: plan.bias,
      }),
      net.batchNorm(norm(i), channels),
      ...(last ? [] : [relu]),
    ];
  });
  const projection =
    blockStride === 1 && at.inputs === outputs
      ? identity
      : chain(
          net.conv(shortcut.conv, {
            size: 1,
            inputs: at.inputs,
            outputs,
            stride: blockStride,
            padding: 0,
            bias: plan.bias,
          }),
          net.batchNorm(shortcut.norm, outputs),
        );
  return chain(net.residual(chain(...main), projection), relu);
}

/** The network of `plan`, with a head for `classes`. */
function build(plan: ResNetPlan, classes: number): Network {
  const { names, width, bias } = plan;
  const net = new LayerFactory(names.convention, { epsilon: plan.epsilon, momentum: batchNormMomentum });
  const layers: Layer[] = [
    net.conv(names.stem.conv, { size: 7, inputs: 3, outputs: width, stride: 2, padding: 3, bias }),
    net.batchNorm(names.stem.norm, width),
    relu,
    tap('stem'),
    maxPool({ size: 3, stride: 2, padding: 1 }),
  ];
  let inputs = width;
  plan.layers.forEach((blocks, stage) => {
    for (let block = 0; block < blocks; block++) {
      layers.push(residualBlock(net, plan, { stage, block, inputs }));
      inputs = width * 2 ** stage * expansionOf(plan);
    }
    layers.push(tap(`stage${stage + 1}`));
  });
  const head = net.head(names.head, inputs, classes);
  return { ...net.network(chain(...layers)), head };
}

/** What the record of a residual network has from its plan. */
function planned(plan: ResNetPlan) {
  const { suffix } = plan.names.convention;
  return {
    family: 'resnet',
    featureSize: featureSizeOf(plan),
    head: { weight: plan.names.head + suffix.weight, bias: plan.names.head + suffix.bias },
    taps: ['stem', ...plan.layers.map((_, stage) => `stage${stage + 1}`)],
    // also of the Keras weights: their file says 0.01 in this convention, but the kit trains all alike
    batchNormMomentum,
  };
}

const resnet50Keras: ResNetPlan = {
  block: 'bottleneck',
  layers: [3, 4, 6, 3],
  width: 64,
  stridedConv: 0,
  bias: true,
  epsilon: 1e-3, // of every BatchNormalization in the file's model.json
  names: kerasNames,
};

const manifest = weightsManifest('resnet50.keras_in1k');

/** torchvision's: v1.5, with its stride in the 3x3 convolution. */
const torchvisionPlan = (size: Pick<ResNetPlan, 'block' | 'layers' | 'width'>): ResNetPlan => ({
  ...size,
  stridedConv: 1,
  bias: false,
  epsilon: 1e-5,
  names: torchvisionNames,
});

/** Table 1 of the paper. */
function torchvisionResNet(depth: number, block: ResNetPlan['block'], layers: number[]): BackboneDefinition {
  const plan = torchvisionPlan({ block, layers, width: 64 });
  const { family, featureSize, taps } = planned(plan);
  return {
    record: torchvisionRecord(`resnet${depth}.tv_in1k`, {
      title: `ResNet-${depth} v1.5`,
      family,
      featureSize,
      head: plan.names.head,
      taps,
    }),
    version: 1,
    build: (classes) => build(plan, classes),
  };
}

/** The residual networks with published ImageNet weights. `buildResNet` makes any other. */
export const resnets: BackboneDefinition[] = [
  torchvisionResNet(18, 'basic', [2, 2, 2, 2]),
  torchvisionResNet(34, 'basic', [3, 4, 6, 3]),
  torchvisionResNet(50, 'bottleneck', [3, 4, 6, 3]),
  torchvisionResNet(101, 'bottleneck', [3, 4, 23, 3]),
  torchvisionResNet(152, 'bottleneck', [3, 8, 36, 3]),
  {
    record: {
      id: manifest.id,
      title: 'ResNet-50 v1, ImageNet weights of Keras',
      ...planned(resnet50Keras),
      inputSize: 224,
      resizeSize: 256,
      mean: [123.68, 116.779, 103.939],
      std: [1, 1, 1],
      channelOrder: 'bgr',
      weights: manifest,
      licence: manifest.licence,
      top1Claimed: 0.749, // README.md of the package
      parameters: 25_583_592,
    },
    version: 1,
    build: (classes) => build(resnet50Keras, classes),
  },
];

/** A residual network that is in no list: of any size, with torchvision's names, strides and normalisation. */
export interface ResNetOptions {
  block: ResNetPlan['block'];
  layers: number[];
  width: number;
  classes: number;
}

/**
 * Builds the residual network of `options` with the weights of `stateDict` (torchvision's names and layouts), or new
 * ones from `seed`.
 * Small ones are for tests: `{block: 'basic', layers: [1, 1], width: 8, classes: 5}` at 32 pixels takes milliseconds a
 * step.
 * @throws KitError when names or shapes do not fit.
 */
export function buildResNet({ classes, ...size }: ResNetOptions, stateDict: StateDict | null, seed = 0): Backbone {
  const plan = torchvisionPlan(size);
  const id = `resnet-${size.block}-${size.layers.join('-')}-width${size.width}`;
  const record: BackboneRecord = {
    id,
    title: `Residual network of ${size.layers.join(' + ')} ${size.block} blocks`,
    ...planned(plan),
    inputSize: 32,
    resizeSize: 32,
    ...imageNetPixels,
    channelOrder: 'rgb',
    weights: null,
    licence: '',
    top1Claimed: null,
    parameters: countTrainable(build(plan, 1000).parameters.values()),
  };
  const weights = stateDict
    ? { stateDict, format: null, source: 'the given state dict', hash: hashStateDict(stateDict) }
    : null;
  return assemble({ record, version: 1, build: (outputs) => build(plan, outputs) }, { classes, seed, weights });
}
