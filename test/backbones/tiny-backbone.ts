// A backbone of a few hundred parameters, for tests that train: it is defined as a study defines one.
import { defineBackbone, type BackboneDefinition } from '../../src/backbones/define-backbone';
import { chain, LayerFactory, relu, tap } from '../../src/backbones/layers';
import { keras } from '../../src/backbones/parameters';

const [STEM, FEATURES] = [4, 8];

/** Defines the backbone `id`: two stages, images of 32 pixels. Use it with `weights: 'random'`. */
export const tinyBackbone = (id: string): BackboneDefinition =>
  defineBackbone({
    version: 1,
    build(classes) {
      const net = new LayerFactory(keras, { epsilon: 1e-5, momentum: 0.1 });
      const trunk = chain(
        net.conv('conv1', { size: 3, inputs: 3, outputs: STEM, stride: 4 }),
        net.batchNorm('bn1', STEM),
        relu,
        tap('stem'),
        net.conv('conv2', { size: 3, inputs: STEM, outputs: FEATURES, stride: 2 }),
        net.batchNorm('bn2', FEATURES),
        relu,
        tap('stage1'),
      );
      return { ...net.network(trunk), head: net.head('fc', FEATURES, classes) };
    },
    record: {
      id,
      title: 'A tiny network for tests',
      family: 'tiny',
      inputSize: 32,
      resizeSize: 32,
      featureSize: FEATURES,
      mean: [128, 128, 128],
      std: [64, 64, 64],
      channelOrder: 'rgb',
      head: { weight: 'fc/kernel', bias: 'fc/bias' },
      taps: ['stem', 'stage1'],
      weights: null,
      licence: '',
      top1Claimed: null,
      parameters: 9 * 3 * STEM + 2 * STEM + 9 * STEM * FEATURES + 2 * FEATURES + (FEATURES + 1) * 1000,
      batchNormMomentum: 0.1,
    },
  });
