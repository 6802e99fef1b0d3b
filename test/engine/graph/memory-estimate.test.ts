import assert from 'node:assert/strict';
import { KitError } from '../../../src/base/errors';
import {
  estimateMemory,
  freeMemory,
  HEADROOM,
  largestBatch,
  requireMemory,
} from '../../../src/engine/graph/memory-estimate';
import type { GraphNode } from '../../../src/engine/graph/saved-model';
import type { TensorShape } from '../../../src/engine/graph/shapes';
import { makeSteps } from '../../../src/transfer/step';
import { graphOfSteps } from '../../../src/transfer/compiled-steps';
import { train } from '../../../src/transfer/trainer';
import { tf } from '../../../src/engine/tensorflow';
import { golden, tinyBatches, tinyNetwork, tinySpec } from '../../transfer/tiny';

const [FLOAT, BFLOAT16] = [1, 14];
const node = (name: string, op: string, ...inputs: string[]): GraphNode => ({ name, op, inputs, attributes: {} });
const variable = (name: string, ...shape: number[]): GraphNode => ({
  name,
  op: 'VarHandleOp',
  inputs: [],
  attributes: { dtype: { type: FLOAT }, shape: { shape } },
});
const floats = (...shape: number[]): TensorShape => ({ shape, dtype: FLOAT });

/**
 * A network of two layers by hand: x and both activations are kept for the gradients, the weights' gradients live until
 * they are assigned.
 */
const network = (batch: number) => ({
  nodes: [
    variable('w', 10, 10),
    node('x', 'Placeholder'),
    node('r', 'ReadVariableOp', 'w'),
    node('a', 'MatMul', 'x', 'r'),
    node('b', 'Relu', 'a'),
    node('flat', 'Reshape', 'b'),
    node('c', 'MatMul', 'flat', 'r'),
    node('dc', 'SoftmaxGrad', 'c'),
    node('dw2', 'MatMul', 'b', 'dc'),
    node('db', 'MatMul', 'dc', 'r'),
    node('da', 'ReluGrad', 'db', 'b'),
    node('dw1', 'MatMul', 'x', 'da'),
    node('dw', 'Add', 'dw1', 'dw2'),
    node('assign', 'AssignVariableOp', 'w', 'dw', '^r'),
  ],
  shapes: new Map([
    ...['x', 'a', 'b', 'flat', 'c', 'dc', 'db', 'da'].map((name) => [name, floats(batch, 10)] as const),
    ...['r', 'dw1', 'dw2', 'dw'].map((name) => [name, floats(10, 10)] as const),
  ]),
});

describe('the memory of a graph', () => {
  it('is what lives at its fullest moment: by hand', () => {
    // For a batch of 100 (4000 bytes a value): x, b, dc, db and da live when da is made (a and c are gone), with dw2 of
    // 400 bytes beside the variable's 400.
    // dc died with db: so x, b, db, da = 16000.
    assert.deepEqual(estimateMemory(network(100), [100]), { fixed: 800, perImage: 160, batchSize: 100, total: 16_800 });
    // Of a single image the weights count more: dw1, dw2 and dw live when dw is made.
    assert.deepEqual(estimateMemory(network(1), [1]), { fixed: 400 + 1200, perImage: 0, batchSize: 1, total: 1600 });
  });

  it('takes a reshaped value for the same memory, which lives as long as either is read', () => {
    const shapes = new Map(['x', 'big', 'view', 'end'].map((name) => [name, floats(5, 10)]));
    const nodes = [
      node('x', 'Placeholder'),
      node('big', 'Relu', 'x'),
      node('view', 'Reshape', 'big'),
      node('end', 'Relu', 'view'),
    ];
    assert.equal(estimateMemory({ nodes, shapes }, [5]).total, 400); // x and big, then big and end
  });

  it('is of the function that takes most, variables being shared, and half for bfloat16', () => {
    const shapes = new Map([
      ['x', floats(4, 100)],
      ['y', floats(8, 100)],
      ['z', { shape: [8, 100], dtype: BFLOAT16 }],
    ]);
    const nodes = [variable('w', 25), node('x', 'Placeholder'), node('y', 'Placeholder'), node('z', 'Cast', 'y')];
    assert.deepEqual(estimateMemory({ nodes, shapes }, [4, 8]), {
      fixed: 100,
      perImage: 600,
      batchSize: 8,
      total: 4900,
    });
  });

  it('grows with the batch as its two numbers say: of the steps of a network', () => {
    const backbone = tinyNetwork();
    const steps = makeSteps(tinySpec(), backbone);
    const [small, large] = [17, 67].map((batch) =>
      estimateMemory(graphOfSteps(steps, golden.size, [batch], []), [batch]),
    );
    assert.equal(small.fixed + 67 * small.perImage, large.total);
    assert.equal(largestBatch(small, large.total), 67);
    assert.equal(largestBatch(small, large.total - 1), 66);
    assert.equal(largestBatch(small, 0), 0);
    steps.dispose();
    backbone.dispose();
  });
});

describe('a step that does not fit', () => {
  it('is refused with the estimate, the limit and the batch that fits', () => {
    const estimate = { fixed: 1e9, perImage: 0.5e9, batchSize: 8, total: 5e9 };
    requireMemory(estimate, 5e9);
    const refused = (limit: number, fix: RegExp) => (error: unknown) =>
      error instanceof KitError &&
      /8 images takes at least 5.00 GB of memory \(1.00 GB, and 0.500 GB an image\)/.test(error.message) &&
      fix.test(error.fix) &&
      error.message.includes(`${(limit / 1e9).toPrecision(3)} GB are free`);
    // (4.5 / 1.6 - 1) / 0.5 = 3.6
    assert.throws(() => requireMemory(estimate, 4.5e9), refused(4.5e9, /A batch of 3 fits/));
    assert.throws(() => requireMemory(estimate, 1.2e9), refused(1.2e9, /Not even one image fits/));
    assert.equal(HEADROOM, 1.6);
  });

  it('is refused by the trainer before its first step, and leaves nothing', async () => {
    const backbone = tinyNetwork();
    const tensors = tf.memory().numTensors;
    let stepped = false;
    const run = (memoryLimit?: number) =>
      train(tinySpec(), backbone, golden.size, tinyBatches(1), tinyBatches(1), {
        memoryLimit,
        onState: () => void (stepped = true),
      });
    await assert.rejects(run(1e5), { code: 'STEP_MEMORY' });
    assert.equal(stepped, false);
    assert.equal(tf.memory().numTensors, tensors);
    assert.equal((await run()).epochs.length, 1, 'in what this machine has free it fits');
    assert.ok(freeMemory() > 1e8);
    backbone.dispose();
  });
});
