import assert from 'node:assert/strict';
import {
  averagePool,
  batchNorm,
  conv2d,
  depthwiseConv2d,
  globalAveragePool,
  maxPool,
  relu,
  relu6,
  silu,
  softmaxCrossEntropy,
  statelessUniform,
} from '../../../src/engine/ops/ops';
import { tf, type TF } from '../../../src/engine/tensorflow';

const random = (shape: number[], seed: number): TF.Tensor => tf.randomNormal(shape, 0, 2, 'float32', seed);

/** Largest difference of two tensors' numbers, by the size of the largest. */
function difference(a: TF.Tensor, b: TF.Tensor): number {
  assert.deepEqual(a.shape, b.shape);
  const [x, y] = [a.dataSync(), b.dataSync()];
  const scale = Math.max(1e-6, ...Array.from(y, Math.abs));
  return Math.max(...Array.from(x, (value, i) => Math.abs(value - y[i]) / scale));
}

/** A smooth function of everything that `f` gives, so that every gradient matters. */
const weighted =
  (f: (...xs: TF.Tensor[]) => TF.Tensor) =>
  (...xs: TF.Tensor[]): TF.Scalar =>
    tf.tidy(() => {
      const y = f(...xs);
      return y.mul(random(y.shape, 99)).sum<TF.Scalar>();
    });

/** Asserts that two functions and their gradients by every input are the same. */
function same(
  ours: (...xs: TF.Tensor[]) => TF.Tensor,
  stock: (...xs: TF.Tensor[]) => TF.Tensor,
  ...xs: TF.Tensor[]
): void {
  assert.ok(difference(ours(...xs), stock(...xs)) < 1e-5, 'value');
  const [a, b] = [ours, stock].map((f) => tf.grads(weighted(f))(xs));
  a.forEach((gradient, i) => assert.ok(difference(gradient, b[i]) < 1e-4, `gradient by input ${i}`));
}

function close(found: TF.Tensor, expected: number[]): void {
  found
    .dataSync()
    .forEach((value: number, i: number) =>
      assert.ok(
        Math.abs(value - expected[i]) <= 1e-6 * Math.max(1, Math.abs(expected[i])),
        `${value} for ${expected[i]}`,
      ),
    );
}

type Image = TF.Tensor4D;

describe('fused ops', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  it('conv2d is that of tfjs, with its gradients; explicit padding is padding and then none', () => {
    const [x, w] = [random([2, 9, 8, 3], 1), random([3, 3, 3, 5], 2)];
    same(
      (a, b) => conv2d(a as Image, b as Image, { stride: 2 }),
      (a, b) => tf.conv2d(a as Image, b as Image, 2, 'same'),
      x,
      w,
    );
    same(
      (a, b) => conv2d(a as Image, b as Image, { padding: 'valid' }),
      (a, b) => tf.conv2d(a as Image, b as Image, 1, 'valid'),
      x,
      w,
    );
    same(
      (a, b) => conv2d(a as Image, b as Image, { stride: 2, padding: 1 }),
      (a, b) =>
        tf.conv2d(
          tf.pad(a, [
            [0, 0],
            [1, 1],
            [1, 1],
            [0, 0],
          ]) as Image,
          b as Image,
          2,
          'valid',
        ),
      x,
      w,
    );
    same(
      (a, b) =>
        conv2d(a as Image, b as Image, {
          padding: [
            [0, 2],
            [1, 0],
          ],
        }),
      (a, b) =>
        tf.conv2d(
          tf.pad(a, [
            [0, 0],
            [0, 2],
            [1, 0],
            [0, 0],
          ]) as Image,
          b as Image,
          1,
          'valid',
        ),
      x,
      w,
    );
  });
  it('depthwiseConv2d is that of tfjs', () => {
    const [x, w] = [random([2, 9, 8, 3], 1), random([3, 3, 3, 1], 2)];
    const padded = (a: TF.Tensor) =>
      tf.pad(a, [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ]) as Image;
    same(
      (a, b) => depthwiseConv2d(a as Image, b as Image, { stride: 2, padding: 1 }),
      (a, b) => tf.depthwiseConv2d(padded(a), b as Image, 2, 'valid'),
      x,
      w,
    );
    for (const stride of [1, 2])
      same(
        (a, b) => depthwiseConv2d(a as Image, b as Image, { stride }),
        (a, b) => tf.depthwiseConv2d(a as Image, b as Image, stride, 'same'),
        x,
        w,
      );
  });
  it('maxPool is that of tfjs; padded places never win', () => {
    const x = random([2, 9, 8, 3], 1).sub(20);
    same(
      (a) => maxPool(a as Image, { size: 2 }),
      (a) => tf.maxPool(a as Image, 2, 2, 'valid'),
      x,
    );
    same(
      (a) => maxPool(a as Image, { size: 3, stride: 2, padding: 1 }),
      (a) =>
        tf.maxPool(
          tf.pad(
            a,
            [
              [0, 0],
              [1, 1],
              [1, 1],
              [0, 0],
            ],
            -1e9,
          ) as Image,
          3,
          2,
          'valid',
        ),
      x,
    );
  });
  it('averagePool is that of tfjs; zeros that are added count in the mean', () => {
    const x = random([2, 9, 8, 3], 1);
    same(
      (a) => averagePool(a as Image, { size: 2 }),
      (a) => tf.avgPool(a as Image, 2, 2, 'valid'),
      x,
    );
    same(
      (a) => averagePool(a as Image, { size: 3, stride: 1, padding: 'same' }),
      (a) => tf.avgPool(a as Image, 3, 1, 'same'),
      x,
    );
    same(
      (a) => averagePool(a as Image, { size: 3, stride: 1, padding: 1 }),
      (a) =>
        tf.avgPool(
          tf.pad(a, [
            [0, 0],
            [1, 1],
            [1, 1],
            [0, 0],
          ]) as Image,
          3,
          1,
          'valid',
        ),
      x,
    );
    const ones = averagePool(tf.ones([1, 2, 2, 1]), { size: 3, stride: 1, padding: 1 });
    assert.ok(
      Array.from(ones.dataSync()).every((mean) => Math.abs(mean - 4 / 9) < 1e-6),
      'torch.nn.functional.avg_pool2d(ones, 3, 1, 1) is 4/9',
    );
  });
  it('silu is x sigmoid(x)', () => {
    const x = random([2, 5, 4, 3], 1).mul(3);
    same(
      (a) => silu(a),
      (a) => a.mul(tf.sigmoid(a)),
      x,
    );
    // PyTorch, float64: torch.nn.functional.silu and its slopes
    const at = tf.tensor1d([-20, -1.278, 0, 1, 30]);
    close(silu(at), [-4.122307236e-8, -0.2784645193, 0, 0.7310585786, 30]);
    close(tf.grad((a: TF.Tensor) => silu(a).sum())(at), [-3.916191866e-8, 1.012144999e-4, 0.5, 0.9276705119, 1]);
    const before = tf.memory().numTensors;
    silu(at).dispose();
    assert.equal(tf.memory().numTensors, before);
  });
  it('rectifiers, global average and cross entropy are those of tfjs', () => {
    const x = random([2, 5, 4, 3], 1).mul(3);
    same(
      (a) => relu(a),
      (a) => tf.relu(a),
      x,
    );
    same(
      (a) => relu6(a),
      (a) => tf.clipByValue(a, 0, 6),
      x,
    );
    same(
      (a) => globalAveragePool(a as Image),
      (a) => tf.mean(a, [1, 2]),
      x,
    );
    const labels = tf.tensor1d([2, 0, 1], 'int32');
    same(
      (a) => softmaxCrossEntropy(a as TF.Tensor2D, labels),
      (a) => tf.neg(tf.sum(tf.logSoftmax(a).mul(tf.oneHot(labels, 4)), 1)),
      random([3, 4], 5),
    );
  });
  it('batchNorm is tf.moments and arithmetic, in training and in evaluation; running statistics move as in PyTorch', () => {
    const [x, g, b] = [random([4, 3, 2, 5], 1), random([5], 2), random([5], 3)];
    const [m, v] = [random([5], 4) as TF.Tensor1D, random([5], 5).square().add(0.1) as TF.Tensor1D];
    const normal = (a: TF.Tensor, mean: TF.Tensor, variance: TF.Tensor, scale: TF.Tensor, offset: TF.Tensor) =>
      a.sub(mean).div(variance.add(1e-3).sqrt()).mul(scale).add(offset);
    const kept: TF.Tensor[] = [];
    const ours = (training: boolean) => (a: TF.Tensor, scale: TF.Tensor, offset: TF.Tensor) => {
      const { value, mean, variance } = batchNorm(a as Image, scale as TF.Tensor1D, offset as TF.Tensor1D, m, v, {
        training,
        epsilon: 1e-3,
        momentum: 0.1,
      });
      if (training) kept.push(mean!, variance!);
      return value;
    };
    same(ours(false), (a, scale, offset) => normal(a, m, v, scale, offset), x, g, b);
    same(
      ours(true),
      (a, scale, offset) => {
        const { mean, variance } = tf.moments(a, [0, 1, 2]);
        return normal(a, mean, variance, scale, offset);
      },
      x,
      g,
      b,
    );
    const n = 4 * 3 * 2;
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    assert.ok(difference(kept[0], m.mul(0.9).add(mean.mul(0.1))) < 1e-5);
    assert.ok(
      difference(kept[1], v.mul(0.9).add(variance.mul((0.1 * n) / (n - 1)))) < 1e-5,
      'the running variance takes the unbiased one',
    );
    tf.dispose(kept);
  });
  it('statelessUniform depends on its seed alone and is uniform', () => {
    const draw = (...seed: number[]) => statelessUniform([2000], tf.tensor1d(seed, 'int32')).dataSync();
    assert.deepEqual(draw(1, 2), draw(1, 2));
    assert.notDeepEqual(draw(1, 2), draw(1, 3));
    const values = Array.from(draw(5, 6));
    assert.ok(values.every((x) => x >= 0 && x < 1));
    assert.ok(Math.abs(values.reduce((a, b) => a + b) / 2000 - 0.5) < 4 / Math.sqrt(12 * 2000));
  });
});

describe('the library', () => {
  it('rounds integers to themselves, and floats to the even neighbour', () => {
    assert.deepEqual(Array.from(tf.tensor1d([3, -4], 'int32').round().dataSync()), [3, -4]);
    assert.deepEqual(Array.from(tf.tensor1d([0.5, 1.5, -2.4]).round().dataSync()), [0, 2, -2]);
  });
  it('is set to use oneDNN and to be deterministic before it loads', () => {
    assert.equal(process.env.TF_ENABLE_ONEDNN_OPTS, '1');
    assert.equal(process.env.TF_DETERMINISTIC_OPS, '1');
  });
});
