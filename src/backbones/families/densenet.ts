// Densely connected networks (Huang et al., CVPR 2017): every layer reads what all layers before it in the block gave.
import type { BackboneDefinition } from '../define-backbone';
import {
  around,
  averagePool,
  branches,
  chain,
  identity,
  LayerFactory,
  maxPool,
  relu,
  tap,
  type Layer,
  type Network,
} from '../layers';
import { torch } from '../parameters';
import { batchNormMomentum, torchvisionRecord } from './torchvision';
import type { StateDict } from '../weights/readers/state-dict';

/** Channels that each layer adds: k of table 1 of the paper. */
const growth = 32;
const bottleneck = 4 * growth;
const stemWidth = 64;
const headName = 'classifier';

/** 1x1 to 4k channels, then 3x3 to k, each after normalisation and rectifier; the output is appended to the input. */
function denseLayer(net: LayerFactory, name: string, inputs: number): Layer {
  return branches(
    identity,
    chain(
      net.batchNorm(`${name}.norm1`, inputs),
      relu,
      net.conv(`${name}.conv1`, { size: 1, inputs, outputs: bottleneck }),
      net.batchNorm(`${name}.norm2`, bottleneck),
      relu,
      net.conv(`${name}.conv2`, { size: 3, inputs: bottleneck, outputs: growth, padding: around(3) }),
    ),
  );
}

/** Half the channels, half the height and width. */
function transition(net: LayerFactory, name: string, inputs: number): Layer {
  return chain(
    net.batchNorm(`${name}.norm`, inputs),
    relu,
    net.conv(`${name}.conv`, { size: 1, inputs, outputs: inputs / 2 }),
    averagePool({ size: 2, stride: 2 }),
  );
}

/** The network with so many layers in each block. */
function build(blocks: readonly number[], classes: number): Network {
  const net = new LayerFactory(torch, { epsilon: 1e-5, momentum: batchNormMomentum });
  const layers: Layer[] = [
    net.conv('features.conv0', { size: 7, inputs: 3, outputs: stemWidth, stride: 2, padding: around(7) }),
    net.batchNorm('features.norm0', stemWidth),
    relu,
    tap('stem'),
    maxPool({ size: 3, stride: 2, padding: 1 }),
  ];
  let channels = stemWidth;
  blocks.forEach((count, i) => {
    for (let layer = 1; layer <= count; layer++) {
      layers.push(denseLayer(net, `features.denseblock${i + 1}.denselayer${layer}`, channels));
      channels += growth;
    }
    layers.push(tap(`stage${i + 1}`));
    if (i === blocks.length - 1) return;
    layers.push(transition(net, `features.transition${i + 1}`, channels));
    channels /= 2;
  });
  layers.push(net.batchNorm('features.norm5', channels), relu, tap('last'));
  return { ...net.network(chain(...layers)), head: net.head(headName, channels, classes) };
}

/**
 * torchvision's files have the names of an older PyTorch, `denselayer1.norm.1.weight` for `denselayer1.norm1.weight`;
 * others have these.
 */
const withPresentNames = (tensors: StateDict): StateDict =>
  new Map(
    [...tensors].map(([name, tensor]) => [name.replace(/(denselayer\d+\.(?:norm|conv))\.([12])\./, '$1$2.'), tensor]),
  );

/** The channels that the head reads. */
function featureSizeOf(blocks: readonly number[]): number {
  return blocks.reduce((channels, count, i) => (i === 0 ? channels : channels / 2) + count * growth, stemWidth);
}

function denseNet(depth: number, blocks: readonly number[]): BackboneDefinition {
  return {
    record: torchvisionRecord(`densenet${depth}.tv_in1k`, {
      title: `DenseNet-${depth}`,
      family: 'densenet',
      featureSize: featureSizeOf(blocks),
      head: headName,
      taps: ['stem', ...blocks.map((_, i) => `stage${i + 1}`), 'last'],
    }),
    version: 1,
    build: (classes) => build(blocks, classes),
    adapt: withPresentNames,
  };
}

/** DenseNet-121, 169 and 201: table 1 of the paper. */
export const denseNets: BackboneDefinition[] = [
  denseNet(121, [6, 12, 24, 16]),
  denseNet(169, [6, 12, 32, 32]),
  denseNet(201, [6, 12, 48, 32]),
];
