// The operations of the benchmark's networks, against those that torchvision publishes with its weights.
import assert from 'node:assert/strict';
import { flopsOf, networks } from '../../bench/networks';

/**
 * torchvision 0.29, `get_model_weights(name).IMAGENET1K_V1.meta["_ops"]`: 10^9 multiply-adds of one image at the
 * network's own size.
 */
const PUBLISHED = {
  resnet50: 4.089,
  mobilenet_v2: 0.301,
  efficientnet_b0: 0.386,
  densenet169: 3.36,
  inception_v3: 5.713,
} as const;

describe('the operations of the networks', function () {
  this.timeout(60_000);
  for (const [name, giga] of Object.entries(PUBLISHED)) {
    it(`of ${name} are those that torchvision counts`, async () => {
      const { backbone, imageSize } = networks[name];
      const { forward, step } = await flopsOf(backbone, imageSize);
      assert.ok(Math.abs(forward / 2e9 - giga) < 0.01 * giga, `${forward / 2e9}, published ${giga}`);
      assert.ok(step > 2.8 * forward && step < 3 * forward);
    });
  }
});
