// Five training steps that are no image networks, for compile: docs/compile.md shows them, networks.test.ts runs them.
import { optimizerVariables } from '../../../src/engine/optimizer-variables';
import { tf, type TF } from '../../../src/engine/tensorflow';

/** A step over variables: an ordinary tfjs function of its arguments. */
export interface Example {
  variables: TF.Variable[];
  args: Record<string, TF.Tensor>;
  step(args: Record<string, TF.Tensor>): TF.Tensor;
}

const weight = (shape: number[], seed: number): TF.Variable =>
  tf.variable(tf.randomNormal(shape, 0, 0.3, 'float32', seed));

const descend = (loss: () => TF.Scalar, over: TF.Variable[], rate: number): TF.Scalar => {
  const { value, grads } = tf.variableGrads(loss, over);
  for (const each of over) each.assign(each.sub(grads[each.name].mul(rate)));
  return value;
};

/** An LSTM layer of tfjs, trained with Adam of tfjs. */
export function lstm(): Example {
  const model = tf.sequential({
    layers: [tf.layers.lstm({ units: 8, inputShape: [5, 4] }), tf.layers.dense({ units: 1 })],
  });
  const weights = model.trainableWeights.map((each) => (each as unknown as { val: TF.Variable }).val);
  const adam = tf.train.adam(0.01);
  return {
    variables: [...weights, ...Object.values(optimizerVariables(adam, weights))],
    args: { x: tf.randomNormal([6, 5, 4], 0, 1, 'float32', 1), y: tf.randomNormal([6, 1], 0, 1, 'float32', 2) },
    step: ({ x, y }) => {
      const loss = () => tf.losses.meanSquaredError(y, model.apply(x) as TF.Tensor) as TF.Scalar;
      const { value, grads } = tf.variableGrads(loss, weights);
      adam.applyGradients(grads as Record<string, TF.Variable>);
      return value;
    },
  };
}

/** Self-attention over 5 positions of 4 features, with layer normalisation. */
export function attention(): Example {
  const weights = [weight([4, 4], 1), weight([4, 4], 2), weight([4, 4], 3)];
  return {
    variables: weights,
    args: { x: tf.randomNormal([2, 5, 4], 0, 1, 'float32', 4) },
    step: ({ x }) =>
      descend(
        () => {
          const [query, key, value] = weights.map((w) => tf.matMul(x.reshape([10, 4]), w).reshape([2, 5, 4]));
          const mixed = tf.softmax(tf.matMul(query, key, false, true).div(2)).matMul(value);
          const { mean, variance } = tf.moments(mixed, -1, true);
          return mixed.sub(mean).div(variance.add(1e-5).sqrt()).mul(x).tanh().mean() as TF.Scalar;
        },
        weights,
        0.5,
      ),
  };
}

/** A generator and a discriminator of points; the noise is an argument: it must be drawn outside the step. */
export function gan(): Example {
  const [generator, discriminator] = [weight([3, 2], 1), weight([2, 1], 2)];
  const judge = (points: TF.Tensor) => tf.sigmoid(tf.matMul(points, discriminator));
  const bce = (label: number, p: TF.Tensor) => tf.losses.logLoss(tf.fill(p.shape, label), p) as TF.Scalar;
  return {
    variables: [generator, discriminator],
    args: { real: tf.randomNormal([8, 2], 1, 1, 'float32', 3), noise: tf.randomNormal([8, 3], 0, 1, 'float32', 4) },
    step: ({ real, noise }) => {
      const make = () => tf.matMul(noise, generator);
      const fake = make();
      const judged = descend(() => bce(1, judge(real)).add(bce(0, judge(fake))) as TF.Scalar, [discriminator], 0.1);
      const fooled = descend(() => bce(1, judge(make())), [generator], 0.1);
      return tf.stack([judged, fooled]);
    },
  };
}

/** A denoising autoencoder with tied weights. */
export function autoencoder(): Example {
  const encoder = weight([6, 3], 1);
  return {
    variables: [encoder],
    args: { x: tf.randomNormal([8, 6], 0, 1, 'float32', 2), noise: tf.randomNormal([8, 6], 0, 0.1, 'float32', 3) },
    step: ({ x, noise }) =>
      descend(
        () => {
          const code = tf.tanh(tf.matMul(x.add(noise), encoder));
          return tf.losses.meanSquaredError(x, tf.matMul(code, encoder, false, true)) as TF.Scalar;
        },
        [encoder],
        0.5,
      ),
  };
}

/** Embeddings of 10 words, looked up by an argument: the mean of a sentence's words predicts its label. */
export function embedding(): Example {
  const [words, head] = [weight([10, 4], 1), weight([4, 3], 2)];
  return {
    variables: [words, head],
    args: {
      ids: tf.tensor2d([3, 1, 4, 1, 5, 9, 2, 6], [2, 4], 'int32'),
      labels: tf.tensor1d([0, 2], 'int32'),
    },
    step: ({ ids, labels }) =>
      descend(
        () => {
          const logits = tf.matMul(tf.gather(words, ids).mean(1), head);
          return tf.losses.softmaxCrossEntropy(tf.oneHot(labels, 3), logits) as TF.Scalar;
        },
        [words, head],
        0.5,
      ),
  };
}
