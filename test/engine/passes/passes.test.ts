import assert from 'node:assert/strict';
import { fuseMomentum } from '../../../src/engine/passes/fused-momentum';
import type { AttributeValue, GraphNode } from '../../../src/engine/graph/saved-model';
import { computeAgain, computeLate, keepApart } from '../../../src/engine/passes/recompute';

const node = (
  name: string,
  op: string,
  inputs: string[] = [],
  attributes: Record<string, AttributeValue> = {},
): GraphNode => ({ name, op, inputs, attributes });
const tensor = (values: Float32Array | Int32Array): Record<string, AttributeValue> => {
  const dtype = values instanceof Float32Array ? 1 : 3;
  return {
    dtype: { type: dtype },
    value: {
      tensor: { dtype, shape: values.length === 1 ? [] : [values.length], bytes: new Uint8Array(values.buffer) },
    },
  };
};
const inputsOf = (nodes: GraphNode[], name: string): string[] => nodes.find((found) => found.name === name)!.inputs;

describe('passes over a recorded graph', () => {
  describe('fuseMomentum', () => {
    const update = [
      node('w', 'VarHandleOp'),
      node('m', 'VarHandleOp'),
      node('w/read', 'ReadVariableOp', ['w']),
      node('m/read', 'ReadVariableOp', ['m']),
      node('rate', 'Placeholder'),
      node('slope', 'Placeholder'),
      node('minus', 'Const', [], tensor(Float32Array.of(-0.875))),
      node('kept', 'Mul', ['m/read', 'minus']),
      node('velocity', 'Sub', ['slope', 'kept']),
      node('way', 'Mul', ['velocity', 'rate']),
      node('moved', 'Sub', ['w/read', 'way']),
      node('norm', 'L2Loss', ['velocity']),
      node('m/assign', 'AssignVariableOp', ['m', 'velocity', '^m/read']),
      node('w/assign', 'AssignVariableOp', ['w', 'moved', '^w/read']),
      node('out', 'Identity', ['norm', '^m/assign', '^w/assign']),
    ];

    it('replaces an update by one op, on which all nodes depend that depended on the assignments', () => {
      const fused = fuseMomentum(update);
      const apply = fused.find(({ op }) => op === 'ResourceApplyMomentum')!;
      assert.equal(apply.name, 'w/assign');
      const [momentum, ...order] = apply.inputs.slice(4);
      assert.deepEqual(apply.inputs.slice(0, 4), ['w', 'm', 'rate', 'slope']);
      assert.deepEqual(order.sort(), ['^m/read', '^w/read']);
      const { bytes } = (
        fused.find(({ name }) => name === momentum)!.attributes.value as { tensor: { bytes: Uint8Array } }
      ).tensor;
      assert.equal(new Float32Array(bytes.buffer)[0], 0.875);
      assert.deepEqual(
        fused.find(({ name }) => name === 'm/assign'),
        node('m/assign', 'NoOp', ['^w/assign']),
      );
      assert.equal(
        fused.some(({ name }) => name === 'velocity'),
        false,
      );
      const read = fused.find(({ name }) => name === inputsOf(fused, 'norm')[0])!;
      assert.deepEqual([read.op, read.inputs], ['ReadVariableOp', ['m', '^w/assign']]);
    });

    it('leaves other updates alone: of another variable, by a momentum that is no constant, or by something else', () => {
      const changed = (name: string, inputs: string[]) =>
        update.map((each) => (each.name === name ? { ...each, inputs } : each));
      for (const graph of [
        changed('moved', ['slope', 'way']),
        changed('kept', ['m/read', 'rate']),
        changed('kept', ['w/read', 'minus']),
        changed('w/assign', ['w', 'slope']),
      ]) {
        assert.deepEqual(fuseMomentum(graph), graph);
      }
    });
  });

  describe('computeLate', () => {
    it('lets what needs variables and constants alone wait for what it is added to, and a padding for its gradient', () => {
      const graph = [
        node('x', 'Placeholder'),
        node('w', 'VarHandleOp'),
        node('read', 'ReadVariableOp', ['w']),
        node('decay', 'Const'),
        node('sides', 'Const'),
        node('shape', 'Const'),
        node('decayed', 'Mul', ['read', 'decay']),
        node('gradient', 'Relu', ['x']),
        node('slope', 'Add', ['gradient', 'decayed']),
        node('dy', 'Relu', ['x']),
        node('padded', 'PadV2', ['x', 'sides', 'decay']),
        node('filter', 'Conv2DBackpropFilter', ['padded', 'shape', 'dy']),
        node('forward', 'PadV2', ['x', 'sides', 'decay']),
        node('conv', 'Conv2D', ['forward', 'read']),
        node('twice', 'Mul', ['read', 'read']),
        node('a', 'Add', ['gradient', 'twice']),
        node('b', 'Add', ['dy', 'twice']),
      ];
      const late = computeLate(graph);
      assert.deepEqual(inputsOf(late, 'decayed'), ['read', 'decay', '^gradient']);
      assert.deepEqual(inputsOf(late, 'padded'), ['x', 'sides', 'decay', '^dy']);
      for (const name of ['read', 'gradient', 'forward', 'twice', 'slope'])
        assert.deepEqual(inputsOf(late, name), inputsOf(graph, name), name);
    });
  });

  describe('computeAgain', () => {
    /** x -> norm -> relu -> convolution, and the gradients. */
    const block = (outputs: number, training = true): GraphNode[] => [
      node('x', 'Placeholder'),
      node('c', 'Const'),
      node('dy', 'Placeholder'),
      node('norm', 'FusedBatchNormV3', ['x', 'c', 'c', 'c', 'c'], { is_training: { bool: training } }),
      node('relu', 'Relu', ['norm']),
      node('conv', 'Conv2D', ['relu', 'c']),
      node('shape', 'Const', [], tensor(Int32Array.of(3, 3, 8, outputs))),
      node('filter', 'Conv2DBackpropFilter', ['relu', 'shape', 'dy']),
      node('input', 'Conv2DBackpropInput', ['c', 'c', 'dy']),
      node('relu/gradient', 'ReluGrad', ['input', 'relu']),
      node('norm/gradient', 'FusedBatchNormGradV3', ['relu/gradient', 'x', 'c', 'norm:3', 'norm:4', 'norm:5']),
    ];

    it('gives the backward pass a normalisation and rectifier of its own, which wait for the gradient', () => {
      const again = computeAgain(block(16));
      const relu = inputsOf(again, 'filter')[0];
      assert.notEqual(relu, 'relu');
      assert.deepEqual(inputsOf(again, 'relu/gradient'), ['input', relu]);
      assert.deepEqual(inputsOf(again, 'conv'), ['relu', 'c']);
      const norm = again.find(({ name }) => name === inputsOf(again, relu)[0])!;
      assert.deepEqual([norm.op, norm.inputs], ['FusedBatchNormV3', ['x', 'c', 'c', 'c', 'c', '^dy']]);
      assert.deepEqual(
        inputsOf(again, 'norm/gradient').slice(3),
        ['norm:3', 'norm:4', 'norm:5'],
        'the saved statistics stay those of the forward pass',
      );
    });

    it('but not beside a cheap convolution, in evaluation, or where the normalised value is kept anyway', () => {
      for (const graph of [block(8), block(16, false), [...block(16), node('tap', 'Identity', ['norm'])]])
        assert.deepEqual(computeAgain(graph), graph);
    });
  });

  describe('keepApart', () => {
    it('lets the second of two equal sigmoids wait for its factor, unless that comes after it', () => {
      const graph = (factor: string[]) => [
        node('x', 'Placeholder'),
        node('one', 'Sigmoid', ['x']),
        node('dy', 'Relu', ['one']),
        node('two', 'Sigmoid', ['x']),
        node('after', 'Relu', ['two']),
        node('product', 'Mul', factor),
      ];
      assert.deepEqual(inputsOf(keepApart(graph(['dy', 'two'])), 'two'), ['x', '^dy']);
      assert.deepEqual(inputsOf(keepApart(graph(['after', 'two'])), 'two'), ['x']);
      assert.deepEqual(inputsOf(keepApart(graph(['dy', 'two'])), 'one'), ['x']);
    });
  });
});
