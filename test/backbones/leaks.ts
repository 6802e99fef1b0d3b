// A forward pass gives back every tensor that it made.
import assert from 'node:assert/strict';
import { tf, type TF } from '../../src/engine/tensorflow';
import type { Backbone } from '../../src/backbones/backbone';

/** Asserts that a pass of `network` over two blank images leaves no tensors behind, in evaluation and in training. */
export function assertNoLeak(network: Backbone): void {
  const images = tf.zeros([2, 64, 64, 3], 'int32') as TF.Tensor4D;
  for (const training of [false, true]) {
    const before = tf.memory().numTensors;
    const { logits, features, taps, updates } = network.forward(images, { training });
    tf.dispose([logits, features, Object.values(taps), updates.map((update) => update.value)]);
    assert.equal(tf.memory().numTensors, before, training ? 'training' : 'evaluation');
  }
  images.dispose();
}
