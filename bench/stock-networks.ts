// Networks from the layers that tfjs ships, as a user of tfjs would write them: the peers that the kit is compared
// with.
import { tf, type TF } from '../src/engine/tensorflow';

const { layers } = tf;
type Symbolic = TF.SymbolicTensor;

const apply = (layer: TF.layers.Layer, x: Symbolic | Symbolic[]): Symbolic => layer.apply(x) as Symbolic;
const relu = (x: Symbolic): Symbolic => apply(layers.activation({ activation: 'relu' }), x);
const relu6 = (x: Symbolic): Symbolic => apply(layers.reLU({ maxValue: 6 }), x);
const norm = (x: Symbolic): Symbolic => apply(layers.batchNormalization({ momentum: 0.9, epsilon: 1e-5 }), x);
const convNorm = (x: Symbolic, filters: number, kernelSize: number, strides: number): Symbolic =>
  norm(
    apply(
      layers.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false, kernelInitializer: 'heNormal' }),
      x,
    ),
  );
const classified = (input: Symbolic, features: Symbolic, classes: number): TF.LayersModel =>
  tf.model({
    inputs: input,
    outputs: apply(layers.dense({ units: classes }), apply(layers.globalAveragePooling2d({}), features)),
  });

/** ResNet-50 as torchvision has it: the stride in the 3x3 convolution of a block. */
function resnet50(imageSize: number, classes: number): TF.LayersModel {
  const bottleneck = (x: Symbolic, width: number, strides: number, project: boolean): Symbolic => {
    const shortcut = project ? convNorm(x, 4 * width, 1, strides) : x;
    const inner = relu(convNorm(relu(convNorm(x, width, 1, 1)), width, 3, strides));
    return relu(apply(layers.add(), [convNorm(inner, 4 * width, 1, 1), shortcut]));
  };
  const input = tf.input({ shape: [imageSize, imageSize, 3] });
  let x = apply(layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }), relu(convNorm(input, 64, 7, 2)));
  [3, 4, 6, 3].forEach((blocks, stage) => {
    for (let block = 0; block < blocks; block++)
      x = bottleneck(x, 64 << stage, stage > 0 && block === 0 ? 2 : 1, block === 0);
  });
  return classified(input, x, classes);
}

/**
 * A row of the papers' tables: [expansion, outputs, repeats, stride of the first block, side of the depthwise filter].
 */
type Row = readonly [number, number, number, number, number];

/**
 * Inverted residual blocks with ReLU6: MobileNetV2 (its table 2) and EfficientNet-Lite0 (EfficientNet's table 1) differ
 * in their rows alone.
 */
const invertedResiduals =
  (rows: readonly Row[]) =>
  (imageSize: number, classes: number): TF.LayersModel => {
    const block = (x: Symbolic, expansion: number, filters: number, strides: number, kernelSize: number): Symbolic => {
      const inputs = x.shape[3]!;
      const wide = expansion === 1 ? x : relu6(convNorm(x, inputs * expansion, 1, 1));
      const filtered = relu6(
        norm(apply(layers.depthwiseConv2d({ kernelSize, strides, padding: 'same', useBias: false }), wide)),
      );
      const narrow = convNorm(filtered, filters, 1, 1);
      return strides === 1 && inputs === filters ? apply(layers.add(), [narrow, x]) : narrow;
    };
    const input = tf.input({ shape: [imageSize, imageSize, 3] });
    let x = relu6(convNorm(input, 32, 3, 2));
    for (const [expansion, filters, repeats, strides, side] of rows) {
      for (let i = 0; i < repeats; i++) x = block(x, expansion, filters, i === 0 ? strides : 1, side);
    }
    return classified(input, relu6(convNorm(x, 1280, 1, 1)), classes);
  };

const mobileNetV2: Row[] = [
  [1, 16, 1, 1, 3],
  [6, 24, 2, 2, 3],
  [6, 32, 3, 2, 3],
  [6, 64, 4, 2, 3],
  [6, 96, 3, 1, 3],
  [6, 160, 3, 2, 3],
  [6, 320, 1, 1, 3],
];
const efficientNet: Row[] = [
  [1, 16, 1, 1, 3],
  [6, 24, 2, 2, 3],
  [6, 40, 2, 2, 5],
  [6, 80, 3, 2, 3],
  [6, 112, 3, 1, 5],
  [6, 192, 4, 2, 5],
  [6, 320, 1, 1, 3],
];

/** For images [imageSize, imageSize, 3], giving logits of `classes`; by the name in `networks.ts`. */
export const stockNetworks: Readonly<Record<string, (imageSize: number, classes: number) => TF.LayersModel>> = {
  resnet50,
  mobilenet_v2: invertedResiduals(mobileNetV2),
  efficientnet_lite0: invertedResiduals(efficientNet),
};
