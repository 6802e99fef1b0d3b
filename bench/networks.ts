// The networks of the benchmarks: what each contender calls them, and what a step of one costs at the least.
import { zeroBackbone } from '../src/backbones/backbone';
import { internals } from '../src/engine/binding';
import { unknownName } from '../src/base/errors';
import { tf } from '../src/engine/tensorflow';

/** A network that contenders are measured on. */
export interface Network {
  title: string;
  /** Ours. */
  backbone: string;
  imageSize: number;
  /**
   * About how much of the rate of a matrix product a training step reaches on a CPU: for the estimate of the time that
   * a benchmark takes.
   */
  usualShare: number;
}

/** By the name that `--network` and the peers' programs know. */
export const networks: Readonly<Record<string, Network>> = {
  resnet50: { title: 'ResNet-50', backbone: 'resnet50.tv_in1k', imageSize: 224, usualShare: 0.6 },
  mobilenet_v2: { title: 'MobileNetV2', backbone: 'mobilenet_v2.tv_in1k', imageSize: 224, usualShare: 0.12 },
  efficientnet_b0: { title: 'EfficientNet-B0', backbone: 'efficientnet_b0.tv_in1k', imageSize: 224, usualShare: 0.1 },
  efficientnet_lite0: {
    title: 'EfficientNet-Lite0',
    backbone: 'efficientnet_lite0.tf_in1k',
    imageSize: 224,
    usualShare: 0.15,
  },
  densenet169: { title: 'DenseNet-169', backbone: 'densenet169.tv_in1k', imageSize: 224, usualShare: 0.3 },
  inception_v3: { title: 'Inception-V3', backbone: 'inception_v3.tv_in1k', imageSize: 299, usualShare: 0.6 },
};

/** The network `name`. @throws KitError for another name. */
export function network(name: string): Network {
  if (!(name in networks)) throw unknownName('network', name, Object.keys(networks));
  return networks[name];
}

/** Multiplications and additions of one image, of convolutions and matrix products alone. */
export interface Flops {
  forward: number;
  /**
   * Forward and backward: each product gives two gradients of its own size, but for the first convolution, whose input
   * needs none.
   */
  step: number;
}

const isProduct = (kernel: string): boolean => /Conv2D|DepthwiseConv2d|MatMul/i.test(kernel);

/** The operations of one image through `id`, from the shapes that its products really had. */
export async function flopsOf(id: string, imageSize: number, classes = 1000): Promise<Flops> {
  const backbone = zeroBackbone(id, classes);
  try {
    const { kernels } = await tf.profile(() =>
      tf.tidy(() => backbone.forward(tf.zeros([1, imageSize, imageSize, 3]), { training: false }).logits),
    );
    const products = kernels
      .filter(({ name }) => isProduct(name))
      .map(({ inputShapes, outputShapes }) => {
        const [, filter] = inputShapes as number[][];
        const [output] = outputShapes as number[][];
        // Both a filter [height, width, in, out] and a matrix [in, out] say at their end how many outputs share one
        // reading of it.
        const depthwise = filter.length === 4 && filter[3] === 1;
        const perOutput = (depthwise ? filter.slice(0, 2) : filter.slice(0, -1)).reduce((a, b) => a * b, 1);
        return 2 * perOutput * output.reduce((a, b) => a * b, 1);
      });
    const forward = products.reduce((a, b) => a + b, 0);
    return { forward, step: 3 * forward - products[0] };
  } finally {
    backbone.dispose();
  }
}

/**
 * Operations per second of TensorFlow's product of two float32 matrices, the best of `tries`; larger ones on a GPU,
 * which 2048 would not fill.
 */
export function matrixRate(tries = 10): number {
  const side = internals().binding.isUsingGpuDevice() ? 8192 : 2048;
  const [a, b] = [tf.randomUniform([side, side]), tf.randomUniform([side, side])];
  let best = Infinity;
  for (let i = 0; i < tries; i++) {
    const began = performance.now();
    const product = tf.matMul(a, b);
    product.slice([0, 0], [1, 1]).dataSync();
    best = Math.min(best, (performance.now() - began) / 1000);
    product.dispose();
  }
  tf.dispose([a, b]);
  return (2 * side ** 3) / best;
}
