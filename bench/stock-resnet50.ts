// ResNet-50 from the layers that tfjs ships, as a user of tfjs would write it: the peer that the kit is compared with.
import { tf, type TF } from '../src/engine/tensorflow';

/** ResNet-50 for images [imageSize, imageSize, 3], giving logits of `classes`. */
export function stockResNet50(imageSize: number, classes: number): TF.LayersModel {
  const { layers } = tf;
  const apply = (layer: TF.layers.Layer, x: TF.SymbolicTensor | TF.SymbolicTensor[]) => layer.apply(x) as TF.SymbolicTensor;
  const relu = (x: TF.SymbolicTensor) => apply(layers.activation({ activation: 'relu' }), x);
  const convNorm = (x: TF.SymbolicTensor, filters: number, kernelSize: number, strides: number) =>
    apply(
      layers.batchNormalization({ momentum: 0.9, epsilon: 1e-5 }),
      apply(layers.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false, kernelInitializer: 'heNormal' }), x),
    );
  const bottleneck = (x: TF.SymbolicTensor, width: number, strides: number, project: boolean) => {
    const shortcut = project ? convNorm(x, 4 * width, 1, strides) : x;
    const inner = relu(convNorm(relu(convNorm(x, width, 1, strides)), width, 3, 1));
    return relu(apply(layers.add(), [convNorm(inner, 4 * width, 1, 1), shortcut]));
  };
  const input = tf.input({ shape: [imageSize, imageSize, 3] });
  let x = apply(layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }), relu(convNorm(input, 64, 7, 2)));
  [3, 4, 6, 3].forEach((blocks, stage) => {
    for (let block = 0; block < blocks; block++) x = bottleneck(x, 64 << stage, stage > 0 && block === 0 ? 2 : 1, block === 0);
  });
  return tf.model({ inputs: input, outputs: apply(layers.dense({ units: classes }), apply(layers.globalAveragePooling2d({}), x)) });
}
