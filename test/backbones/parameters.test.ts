import assert from 'node:assert/strict';
import { randomStream } from '../../src/base/random';
import { tf } from '../../src/engine/tensorflow';
import { keras, linearUniform, Parameter, permute, torch } from '../../src/backbones/parameters';

describe('permute', () => {
  it('orders elements as TensorFlow transposes them', () => {
    const shape = [2, 3, 4, 5];
    const data = Float32Array.from({ length: 120 }, (_, i) => i);
    for (const axes of [
      [2, 3, 1, 0],
      [2, 3, 0, 1],
      [3, 2, 1, 0],
      [0, 2, 1, 3],
    ]) {
      const expected = tf.tidy(() => tf.tensor(data, shape).transpose(axes).dataSync<'float32'>());
      assert.deepEqual(permute(data, shape, axes), expected, axes.join());
    }
  });

  it('copies nothing when nothing moves', () => {
    const data = new Float32Array(6);
    assert.equal(permute(data, [2, 3], [0, 1]), data);
  });
});

describe('Parameter', () => {
  const parameter = (shape: number[], axes: number[]) => new Parameter('p', shape, axes, true, linearUniform(4));

  it('knows the shape that its file has', () => {
    assert.deepEqual(parameter([3, 3, 16, 32], torch.axes.convolution).fileShape, [32, 16, 3, 3]);
    assert.deepEqual(parameter([5, 5, 96, 1], torch.axes.depthwise).fileShape, [96, 1, 5, 5]);
    assert.deepEqual(parameter([1280, 10], torch.axes.linear).fileShape, [10, 1280]);
    assert.deepEqual(parameter([3, 3, 16, 32], keras.axes.convolution).fileShape, [3, 3, 16, 32]);
  });

  it("draws torch.nn.Linear's values: uniform in +-1/sqrt(inputs)", () => {
    const values = parameter([4, 1000], torch.axes.linear).draw(randomStream(3, 'head'));
    const [low, high] = [Math.min(...values), Math.max(...values)];
    assert.ok(low >= -0.5 && low < -0.49 && high <= 0.5 && high > 0.49, `${low} to ${high}`);
    const variance = values.reduce((sum, v) => sum + v * v, 0) / values.length;
    assert.ok(Math.abs(variance * 12 - 1) < 0.05, `variance ${variance}, expected 1/12`);
  });
});
