import assert from 'node:assert/strict';
import { compile, type CompileOptions } from '../../../src/engine/compile';
import { batchNorm, choose, conv2d, globalAveragePool, relu, softmaxCrossEntropy } from '../../../src/engine/ops/ops';
import { lowerPrecision, type Precision } from '../../../src/engine/passes/precision';
import type { GraphNode } from '../../../src/engine/graph/saved-model';
import type { TensorShape } from '../../../src/engine/graph/shapes';
import { tf, type TF } from '../../../src/engine/tensorflow';

const FLOAT = 1;
const NUMBERS = { bfloat16: 14, float16: 19 } as const;
const LOWER = ['bfloat16', 'float16'] as const;

/** The one result of `run` on `args`, compiled in `precision`, and the graph. */
async function compiled(
  precision: Precision,
  run: (args: Record<string, TF.Tensor>) => TF.Tensor,
  args: Record<string, number[][]>,
): Promise<{ values: unknown; graph: readonly GraphNode[] }> {
  let graph: readonly GraphNode[] = [];
  const specs = Object.fromEntries(
    Object.entries(args).map(([name, rows]) => [
      name,
      { shape: [rows.length, rows[0].length], dtype: 'float32' as const },
    ]),
  );
  const options: CompileOptions = { precision, onGraph: ({ nodes }) => (graph = nodes) };
  const program = await compile({ f: { args: specs, run } }, {}, options);
  try {
    const result = program.f(
      Object.fromEntries(Object.entries(args).map(([name, rows]) => [name, Float32Array.from(rows.flat())])),
    );
    const values = result.arraySync();
    result.dispose();
    return { values, graph };
  } finally {
    program.dispose();
  }
}

/** The nodes of a graph of which no shape is known, in `precision`. */
const lowered = (nodes: GraphNode[], precision: Precision): readonly GraphNode[] =>
  lowerPrecision({ nodes, shapes: new Map<string, TensorShape>() }, precision).nodes;

const typeOf = ({ attributes }: GraphNode, name = 'T'): number | undefined =>
  (attributes[name] as { type: number } | undefined)?.type;
const all = (graph: readonly GraphNode[], op: string): GraphNode[] => graph.filter((node) => node.op === op);
const node = (name: string, op: string, inputs: string[], type: number = FLOAT): GraphNode => ({
  name,
  op,
  inputs,
  attributes: { T: { type } },
});
const named = (graph: readonly GraphNode[], name: string): GraphNode => graph.find((each) => each.name === name)!;
const scalarOf = (name: string, value: number): GraphNode => ({
  name,
  op: 'Const',
  inputs: [],
  attributes: {
    dtype: { type: FLOAT },
    value: { tensor: { dtype: FLOAT, shape: [], bytes: new Uint8Array(Float32Array.of(value).buffer) } },
  },
});

describe('mixed precision', () => {
  // IEEE 754 and bfloat16 by hand: 8 and 11 binary digits, ties to even; torch's `.bfloat16()` and `.half()` give the
  // same.
  const rounded: Record<(typeof LOWER)[number], [number, number][]> = {
    bfloat16: [
      [257, 256],
      [259, 260],
      [1 + 2 ** -8, 1],
      [1 + 3 * 2 ** -8, 1 + 2 ** -6],
      [-0.1, -0.10009765625],
      [1e-30, 9.98402083170343e-31],
      [3e38, 3.00405527047391e38],
    ],
    float16: [
      [2049, 2048],
      [2051, 2052],
      [1 + 2 ** -11, 1],
      [1 + 3 * 2 ** -11, 1 + 2 ** -9],
      [-0.1, -0.0999755859375],
      [1e-9, 0],
      [70000, Infinity],
    ],
  };
  for (const precision of LOWER) {
    it(`rounds what a product reads to ${precision}, and gives float32`, async () => {
      const numbers = rounded[precision];
      const one = (x: Record<string, TF.Tensor>): TF.Tensor => tf.matMul(x.a as TF.Tensor2D, x.b as TF.Tensor2D);
      const { values } = await compiled(precision, one, { a: numbers.map(([value]) => [value]), b: [[1]] });
      assert.deepEqual(
        values,
        numbers.map(([, value]) => [value]),
      );
    });

    it(`sums in float32: of ${precision}, 4096 ones and a mean of them`, async () => {
      const ones = Array.from({ length: 4096 }, () => [1]);
      const { values } = await compiled(precision, ({ a, b }) => tf.matMul(a as TF.Tensor2D, b as TF.Tensor2D).sum(), {
        a: ones,
        b: [[1]],
      });
      assert.equal(values, 4096); // bfloat16 cannot count beyond 256, nor float16 beyond 2048
    });

    it(`computes networks in ${precision}; variables, statistics, loss and updates stay float32, and each value is cast once`, async () => {
      const filter = tf.variable(tf.randomNormal([3, 3, 3, 4], 0, 0.3, 'float32', 1));
      const [scale, offset, mean, variance] = [1, 0, 0, 1].map((value) => tf.variable(tf.fill([4], value)));
      const head = tf.variable(tf.randomNormal([4, 2], 0, 0.5, 'float32', 2));
      const variables = { filter, scale, offset, mean, variance, head };
      let graph: readonly GraphNode[] = [];
      const tensors = tf.memory().numTensors;
      const program = await compile(
        {
          step: {
            args: { images: { shape: [2, 8, 8, 3], dtype: 'uint8' }, labels: { shape: [2], dtype: 'int32' } },
            run: ({ images, labels }: { images: TF.Tensor4D; labels: TF.Tensor1D }) => {
              const { value, grads } = tf.variableGrads(() => {
                const x = conv2d(images.toFloat().div(255), filter as TF.Tensor as TF.Tensor4D);
                const normed = batchNorm(x, scale as never, offset as never, mean as never, variance as never, {
                  training: true,
                });
                mean.assign(normed.mean!);
                variance.assign(normed.variance!);
                tf.dispose([normed.mean!, normed.variance!]);
                const again = conv2d(
                  relu(normed.value).slice([0, 0, 0, 0], [2, 8, 8, 3]),
                  filter as TF.Tensor as TF.Tensor4D,
                );
                return softmaxCrossEntropy(
                  tf.matMul(globalAveragePool(again), head as TF.Tensor as TF.Tensor2D),
                  labels,
                ).mean<TF.Scalar>();
              }, [filter, scale, offset, head]);
              for (const variable of [filter, scale, offset, head])
                variable.assign(variable.sub(grads[variable.name].add(variable.mul(1e-4)).mul(0.1)));
              tf.dispose(grads);
              return value;
            },
          },
        },
        variables,
        { precision, onGraph: ({ nodes }) => (graph = nodes) },
      );
      const low = NUMBERS[precision];
      for (const op of [
        'Conv2D',
        'Conv2DBackpropFilter',
        'Conv2DBackpropInput',
        'FusedBatchNormV3',
        'FusedBatchNormGradV3',
        'Relu',
        'ReluGrad',
        'BatchMatMulV2',
        'Slice',
      ]) {
        assert.ok(all(graph, op).length > 0, op);
        for (const each of all(graph, op)) assert.equal(typeOf(each), low, op);
      }
      for (const op of ['FusedBatchNormV3', 'FusedBatchNormGradV3'])
        for (const each of all(graph, op)) assert.equal(typeOf(each, 'U'), FLOAT, op);
      for (const op of ['SparseSoftmaxCrossEntropyWithLogits', 'Mean'])
        for (const each of all(graph, op)) assert.equal(typeOf(each), FLOAT, op);
      for (const op of ['VarHandleOp', 'ReadVariableOp', 'AssignVariableOp', 'Placeholder'])
        for (const each of all(graph, op)) assert.notEqual(typeOf(each, 'dtype'), low, op);
      assert.equal(typeOf(all(graph, 'RealDiv')[0]), FLOAT, 'pixels are normalised in float32');
      const assigned = all(graph, 'AssignVariableOp').map(({ inputs }) => inputs[1]);
      const updates = assigned.map((value) => named(graph, value.split(':')[0]));
      assert.deepEqual(
        updates
          .map(({ op }) => op)
          .filter((op) => op !== 'Placeholder')
          .sort(),
        ['FusedBatchNormV3', 'FusedBatchNormV3', 'Sub', 'Sub', 'Sub', 'Sub'],
      );
      updates.forEach((update, i) =>
        assert.ok(typeOf(update) !== low || /^FusedBatchNormV3_\d+:[12]$/.test(assigned[i]), assigned[i]),
      ); // statistics have the type U
      // One read of the filter, cast once for both convolutions and their gradients.
      const reads = new Set(all(graph, 'Conv2D').map(({ inputs }) => inputs[1]));
      assert.equal(reads.size, 1);
      const casts = all(graph, 'Cast').map(({ inputs, attributes }) => JSON.stringify([inputs, attributes.DstT]));
      assert.equal(new Set(casts).size, casts.length, 'no value is cast twice into the same type');

      const before = program.read();
      const loss = program.step({
        images: Uint8Array.from({ length: 2 * 8 * 8 * 3 }, (_, i) => (i * 37) % 256),
        labels: Int32Array.of(0, 1),
      });
      assert.ok(Math.abs(loss.dataSync()[0] - Math.LN2) < 1);
      const after = program.read();
      for (const [name, value] of Object.entries(after)) {
        assert.equal(value.dtype, 'float32');
        assert.notDeepEqual(value.dataSync(), before[name].dataSync(), name);
      }
      // 1e-4 of a weight is less than half its last digit in bfloat16: a master copy in float32 keeps it.
      const digits = new Uint32Array(after.filter.dataSync<'float32'>().slice().buffer);
      assert.ok(digits.some((bits) => (bits & 0xffff) !== 0));
      tf.dispose([before, after, loss]);
      program.dispose();
      assert.equal(tf.memory().numTensors, tensors);
      tf.dispose(variables);
    });
  }

  it('changes nothing in float32', () => {
    const graph = [scalarOf('x', 1), node('m', 'MatMul', ['x', 'x']), node('out', 'Identity', ['m'])];
    assert.deepEqual(lowered(graph, 'float32'), graph);
  });

  it('leaves alone what is not float32, and what the caller fetches', () => {
    const graph = [
      node('n', 'Placeholder', [], 3),
      node('product', 'MatMul', ['n', 'n'], 3),
      node('x', 'Placeholder', []),
      node('m', 'MatMul', ['x', 'x']),
      node('fetched', 'Relu', ['m']),
    ];
    const nodes = lowered(graph, 'bfloat16');
    assert.deepEqual(
      nodes.map(({ name, inputs, attributes }) => [name, inputs, (attributes.T as { type: number } | undefined)?.type]),
      [
        ['n', [], 3],
        ['product', ['n', 'n'], 3],
        ['x', [], FLOAT],
        ['x/bfloat16', ['x'], undefined],
        ['m', ['x/bfloat16', 'x/bfloat16'], NUMBERS.bfloat16],
        ['m/float32', ['m'], undefined],
        ['fetched', ['m/float32'], FLOAT],
      ],
    );
  });

  it('keeps a difference of two features, a square, and in float16 what has a constant beyond its range, in float32', () => {
    const graph = [
      node('x', 'Placeholder', []),
      scalarOf('tiny', 1e-6),
      scalarOf('one', 1),
      node('a', 'MatMul', ['x', 'x']),
      node('b', 'MatMul', ['x', 'a']),
      node('moved', 'Sub', ['a', 'b']),
      node('gate', 'Sub', ['one', 'a']),
      node('square', 'Square', ['a']),
      node('small', 'Mul', ['a', 'tiny']),
      node('sum', 'AddN', ['moved', 'gate', 'square', 'small']),
      node('end', 'Identity', ['sum']),
    ];
    const types = (precision: Precision) =>
      Object.fromEntries(lowered(graph, precision).map((each) => [each.name, typeOf(each)]));
    const half = types('float16');
    assert.deepEqual([half.moved, half.gate, half.square, half.small], [FLOAT, NUMBERS.float16, FLOAT, FLOAT]);
    assert.equal(types('bfloat16').small, NUMBERS.bfloat16);
  });

  it('lowers every output of a split, and waits for what was waited for', () => {
    const graph = [
      node('x', 'Placeholder', []),
      node('sizes', 'Placeholder', [], 3),
      node('m', 'MatMul', ['x', 'x']),
      node('s', 'SplitV', ['m', 'sizes', 'sizes']),
      node('r', 'Relu', ['s:1', '^x']),
      node('end', 'Identity', ['r', '^s']),
    ];
    const nodes = lowered(graph, 'bfloat16');
    assert.deepEqual(named(nodes, 's').inputs, ['m', 'sizes', 'sizes']);
    assert.deepEqual([named(nodes, 'r').inputs, typeOf(named(nodes, 'r'))], [['s:1', '^x'], NUMBERS.bfloat16]);
    assert.deepEqual(named(nodes, 'end').inputs, ['r/float32', '^s']);
  });
});

describe('shapes of a lowered graph', () => {
  it('tell the type of every value, casts included', () => {
    const known = (dtype: number): TensorShape => ({ shape: [2, 2], dtype });
    const nodes = [node('x', 'Placeholder', []), node('m', 'MatMul', ['x', 'x']), node('end', 'Identity', ['m'])];
    const { shapes } = lowerPrecision(
      {
        nodes,
        shapes: new Map([
          ['x', known(FLOAT)],
          ['m', known(FLOAT)],
          ['end', known(FLOAT)],
        ]),
      },
      'bfloat16',
    );
    const types = Object.fromEntries([...shapes].map(([value, { dtype }]) => [value, dtype]));
    assert.deepEqual(types, {
      x: FLOAT,
      'x/bfloat16': NUMBERS.bfloat16,
      m: NUMBERS.bfloat16,
      'm/float32': FLOAT,
      end: FLOAT,
    });
  });
});

describe('choose', () => {
  it('gives one of two tensors by a scalar condition, also where the other is not a number', () => {
    const values = tf.tidy(() =>
      [true, false].map((condition) =>
        choose(tf.scalar(condition, 'bool'), tf.tensor1d([1, 2]), tf.tensor1d([NaN, 3])).arraySync(),
      ),
    );
    assert.deepEqual(values, [
      [1, 2],
      [NaN, 3],
    ]);
  });
});
