// Stages own their parameters and statistics: checked by name for a residual network, whose names say where they
// belong.
import assert from 'node:assert/strict';
import { variablesByStage } from '../../src/backbones/stages';
import { zeroBackbone } from '../../src/backbones/backbone';
import { buildResNet } from '../../src/backbones/families/resnet';
import { tf } from '../../src/engine/tensorflow';

describe('variablesByStage', function () {
  this.timeout(30_000);

  it('gives each stage of a residual network what its names say, statistics too, and nobody the head', () => {
    const tensors = tf.memory().numTensors;
    const network = buildResNet({ block: 'bottleneck', layers: [2, 1], width: 4, classes: 3 }, null);
    const held = tf.memory().numTensors;
    const stages = variablesByStage(network);
    assert.equal(tf.memory().numTensors, held, 'nothing leaks');
    const expected = [/^(conv1|bn1)\./, /^layer1\./, /^layer2\./].map((pattern) =>
      Object.keys(network.variables).filter((name) => pattern.test(name)),
    );
    assert.deepEqual(
      stages.map((names) => [...names].sort()),
      expected.map((names) => [...names].sort()),
    );
    assert.ok(stages[2].includes('layer2.0.downsample.1.running_var'));
    network.dispose();
    assert.equal(tf.memory().numTensors, tensors);
  });

  it('leaves of EfficientNet-Lite0 the head alone', async () => {
    const network = zeroBackbone('efficientnet_lite0.tf_in1k', 2);
    const stages = variablesByStage(network);
    assert.equal(stages.length, network.record.taps.length);
    const owned = new Set(stages.flat());
    assert.deepEqual(
      Object.keys(network.variables).filter((name) => !owned.has(name)),
      ['_fc.weight', '_fc.bias'],
    );
    // Stage 2 has two blocks, the second and third of the network (table 1 of the paper).
    assert.deepEqual(
      [...new Set(stages[2].map((name) => /^_blocks\.\d+/.exec(name)?.[0]))],
      ['_blocks.1', '_blocks.2'],
    );
    network.dispose();
  });
});
