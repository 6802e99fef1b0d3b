// Inception-V3 (Szegedy et al., CVPR 2016) with the names of torchvision, with the auxiliary classifier and without.
import type { BackboneDefinition } from '../define-backbone';
import {
  around,
  averagePool,
  branches,
  chain,
  LayerFactory,
  maxPool,
  relu,
  tap,
  type Layer,
  type Network,
} from '../layers';
import { torch, type FileConvention } from '../parameters';
import type { BackboneRecord } from '../record';
import { batchNormMomentum, torchvisionRecord } from './torchvision';

const featureSize = 2048;
const headName = 'fc';
const epsilon = 1e-3;

/** A convolution with normalisation and rectifier: what the paper's figures draw as one box. */
interface Box {
  size: number | [height: number, width: number];
  outputs: number;
  stride?: number;
  /** Whether the filter reaches over the edge by half its size; default false: then the map shrinks. */
  padded?: boolean;
}

/** A chain of boxes by name, from `inputs` channels. */
function boxes(net: LayerFactory, inputs: number, named: Record<string, Box>): Layer {
  const layers: Layer[] = [];
  for (const [name, { size, outputs, stride = 1, padded = false }] of Object.entries(named)) {
    layers.push(
      net.conv(`${name}.conv`, { size, inputs, outputs, stride, padding: padded ? around(size) : 'valid' }),
      net.batchNorm(`${name}.bn`, outputs),
      relu,
    );
    inputs = outputs;
  }
  return chain(...layers);
}

const wide: Box['size'] = [1, 7];
const high: Box['size'] = [7, 1];
const threeByThreeMean = averagePool({ size: 3, stride: 1, padding: 1 });
const halvingMax = maxPool({ size: 3, stride: 2, padding: 'valid' });

/** Figure 5: the 5x5 filter beside two 3x3 ones. */
function mixedA(net: LayerFactory, name: string, inputs: number, pooled: number): Layer {
  return branches(
    boxes(net, inputs, { [`${name}.branch1x1`]: { size: 1, outputs: 64 } }),
    boxes(net, inputs, {
      [`${name}.branch5x5_1`]: { size: 1, outputs: 48 },
      [`${name}.branch5x5_2`]: { size: 5, outputs: 64, padded: true },
    }),
    boxes(net, inputs, {
      [`${name}.branch3x3dbl_1`]: { size: 1, outputs: 64 },
      [`${name}.branch3x3dbl_2`]: { size: 3, outputs: 96, padded: true },
      [`${name}.branch3x3dbl_3`]: { size: 3, outputs: 96, padded: true },
    }),
    chain(threeByThreeMean, boxes(net, inputs, { [`${name}.branch_pool`]: { size: 1, outputs: pooled } })),
  );
}

/** Figure 10: half the height and width, by convolution and by pooling. */
function reductionB(net: LayerFactory, name: string, inputs: number): Layer {
  return branches(
    boxes(net, inputs, { [`${name}.branch3x3`]: { size: 3, outputs: 384, stride: 2 } }),
    boxes(net, inputs, {
      [`${name}.branch3x3dbl_1`]: { size: 1, outputs: 64 },
      [`${name}.branch3x3dbl_2`]: { size: 3, outputs: 96, padded: true },
      [`${name}.branch3x3dbl_3`]: { size: 3, outputs: 96, stride: 2 },
    }),
    halvingMax,
  );
}

/** Figure 6: 7x7 filters taken apart into 1x7 and 7x1; `inner` channels between them. */
function mixedC(net: LayerFactory, name: string, inputs: number, inner: number): Layer {
  return branches(
    boxes(net, inputs, { [`${name}.branch1x1`]: { size: 1, outputs: 192 } }),
    boxes(net, inputs, {
      [`${name}.branch7x7_1`]: { size: 1, outputs: inner },
      [`${name}.branch7x7_2`]: { size: wide, outputs: inner, padded: true },
      [`${name}.branch7x7_3`]: { size: high, outputs: 192, padded: true },
    }),
    boxes(net, inputs, {
      [`${name}.branch7x7dbl_1`]: { size: 1, outputs: inner },
      [`${name}.branch7x7dbl_2`]: { size: high, outputs: inner, padded: true },
      [`${name}.branch7x7dbl_3`]: { size: wide, outputs: inner, padded: true },
      [`${name}.branch7x7dbl_4`]: { size: high, outputs: inner, padded: true },
      [`${name}.branch7x7dbl_5`]: { size: wide, outputs: 192, padded: true },
    }),
    chain(threeByThreeMean, boxes(net, inputs, { [`${name}.branch_pool`]: { size: 1, outputs: 192 } })),
  );
}

/** Half the height and width again. */
function reductionD(net: LayerFactory, name: string, inputs: number): Layer {
  return branches(
    boxes(net, inputs, {
      [`${name}.branch3x3_1`]: { size: 1, outputs: 192 },
      [`${name}.branch3x3_2`]: { size: 3, outputs: 320, stride: 2 },
    }),
    boxes(net, inputs, {
      [`${name}.branch7x7x3_1`]: { size: 1, outputs: 192 },
      [`${name}.branch7x7x3_2`]: { size: wide, outputs: 192, padded: true },
      [`${name}.branch7x7x3_3`]: { size: high, outputs: 192, padded: true },
      [`${name}.branch7x7x3_4`]: { size: 3, outputs: 192, stride: 2 },
    }),
    halvingMax,
  );
}

/** Figure 7: 3x3 filters taken apart into 1x3 and 3x1 side by side. */
function mixedE(net: LayerFactory, name: string, inputs: number): Layer {
  const across = (branch: string, a: string, b: string) =>
    branches(
      boxes(net, 384, { [`${name}.${branch}${a}`]: { size: [1, 3], outputs: 384, padded: true } }),
      boxes(net, 384, { [`${name}.${branch}${b}`]: { size: [3, 1], outputs: 384, padded: true } }),
    );
  return branches(
    boxes(net, inputs, { [`${name}.branch1x1`]: { size: 1, outputs: 320 } }),
    chain(boxes(net, inputs, { [`${name}.branch3x3_1`]: { size: 1, outputs: 384 } }), across('branch3x3_', '2a', '2b')),
    chain(
      boxes(net, inputs, {
        [`${name}.branch3x3dbl_1`]: { size: 1, outputs: 448 },
        [`${name}.branch3x3dbl_2`]: { size: 3, outputs: 384, padded: true },
      }),
      across('branch3x3dbl_', '3a', '3b'),
    ),
    chain(threeByThreeMean, boxes(net, inputs, { [`${name}.branch_pool`]: { size: 1, outputs: 192 } })),
  );
}

/** The way to the auxiliary classifier; it needs a map of at least 17 places a side, that of images of 299 pixels. */
function auxiliaryTrunk(net: LayerFactory, inputs: number): Layer {
  return chain(
    averagePool({ size: 5, stride: 3 }),
    boxes(net, inputs, { 'AuxLogits.conv0': { size: 1, outputs: 128 }, 'AuxLogits.conv1': { size: 5, outputs: 768 } }),
  );
}

/** The network. Dropout before the head is left out: the kit's tricks add such noise. */
function build(withAuxiliary: boolean, classes: number): Network {
  const convention: FileConvention = withAuxiliary
    ? torch
    : { ...torch, ignore: new RegExp(`${torch.ignore!.source}|^AuxLogits\\.`) };
  const net = new LayerFactory(convention, { epsilon, momentum: batchNormMomentum });
  const layers: Layer[] = [
    boxes(net, 3, {
      Conv2d_1a_3x3: { size: 3, outputs: 32, stride: 2 },
      Conv2d_2a_3x3: { size: 3, outputs: 32 },
      Conv2d_2b_3x3: { size: 3, outputs: 64, padded: true },
    }),
    halvingMax,
    boxes(net, 64, { Conv2d_3b_1x1: { size: 1, outputs: 80 }, Conv2d_4a_3x3: { size: 3, outputs: 192 } }),
    halvingMax,
    tap('stem'),
    mixedA(net, 'Mixed_5b', 192, 32),
    mixedA(net, 'Mixed_5c', 256, 64),
    mixedA(net, 'Mixed_5d', 288, 64),
    tap('stage1'),
    reductionB(net, 'Mixed_6a', 288),
    mixedC(net, 'Mixed_6b', 768, 128),
    mixedC(net, 'Mixed_6c', 768, 160),
    mixedC(net, 'Mixed_6d', 768, 160),
    mixedC(net, 'Mixed_6e', 768, 192),
    tap('stage2'),
  ];
  if (withAuxiliary) layers.push(net.auxiliary(auxiliaryTrunk(net, 768), 'AuxLogits.fc', 768, classes));
  layers.push(
    reductionD(net, 'Mixed_7a', 768),
    mixedE(net, 'Mixed_7b', 1280),
    mixedE(net, 'Mixed_7c', 2048),
    tap('stage3'),
  );
  return { ...net.network(chain(...layers)), head: net.head(headName, featureSize, classes) };
}

const record: BackboneRecord = {
  ...torchvisionRecord('inception_v3.tv_in1k', {
    title: 'Inception-V3',
    family: 'inception',
    featureSize,
    head: headName,
    taps: ['stem', 'stage1', 'stage2', 'stage3'],
  }),
  // torchvision normalises with ImageNet's mean and deviation, and the network itself (`transform_input`) turns that
  // into (x - 0.5) / 0.5.
  mean: [127.5, 127.5, 127.5],
  std: [127.5, 127.5, 127.5],
};

/** Inception-V3 without the auxiliary classifier, as RIFLE's authors fine-tune it, and with it, as torchvision does. */
export const inceptionV3: BackboneDefinition[] = [
  {
    record: { ...record, parameters: 23_834_568 }, // 27,161,264 less the auxiliary classifier's 3,326,696
    version: 1,
    build: (classes) => build(false, classes),
  },
  {
    record: {
      ...record,
      id: 'inception_v3_aux.tv_in1k',
      title: 'Inception-V3 with its auxiliary classifier, ImageNet weights of torchvision',
      // 0.4: torchvision's references and PyTorch's fine-tuning tutorial; the paper has no number.
      auxiliary: { head: { weight: 'AuxLogits.fc.weight', bias: 'AuxLogits.fc.bias' }, lossWeight: 0.4 },
    },
    version: 1,
    build: (classes) => build(true, classes),
  },
];
