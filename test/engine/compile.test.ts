import assert from 'node:assert/strict';
import { compile } from '../../src/engine/compile';
import { KitError } from '../../src/base/errors';
import {
  batchNorm,
  conv2d,
  globalAveragePool,
  maxPool,
  relu,
  softmaxCrossEntropy,
  statelessUniform,
} from '../../src/engine/ops/ops';
import { internals } from '../../src/engine/binding';
import { tf, type TF } from '../../src/engine/tensorflow';

/** Largest relative difference of two lists of numbers. */
const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]) / Math.max(1e-6, Math.abs(x), Math.abs(b[i]))));

/** Asserts a KitError of `code`; its message names `named` (a function, an op, a variable), and it has a remedy. */
async function refused(promise: Promise<unknown>, code: string, ...named: string[]): Promise<void> {
  await assert.rejects(promise, (error: KitError) => {
    assert.ok(error instanceof KitError, String(error));
    assert.equal(error.code, code, error.message);
    for (const name of named) assert.ok(error.message.includes(name), `${error.message} does not name ${name}`);
    assert.notEqual(error.fix, '');
    return true;
  });
}

describe('compile', () => {
  it('computes what the function computes, with arguments of every type and nested results', async () => {
    const program = await compile(
      {
        f: {
          args: {
            x: { shape: [2, 2], dtype: 'float32' },
            n: { shape: [2], dtype: 'int32' },
            bytes: { shape: [2], dtype: 'uint8' },
            mask: { shape: [2], dtype: 'bool' },
            s: { shape: [], dtype: 'float32' },
          },
          run: ({ x, n, bytes, mask, s }: Record<'x' | 'n' | 'bytes' | 'mask' | 's', TF.Tensor>) => ({
            scaled: x.mul(s),
            list: [n.add(bytes), { masked: tf.where(mask, n, tf.zerosLike(n)) }],
          }),
        },
      },
      {},
    );
    const result = program.f({
      x: Float32Array.of(1, 2, 3, 4),
      n: Int32Array.of(5, 6),
      bytes: Uint8Array.of(255, 1),
      mask: tf.tensor1d([true, false]),
      s: 2,
    });
    assert.deepEqual(result.scaled.arraySync(), [
      [2, 4],
      [6, 8],
    ]);
    assert.deepEqual((result.list[0] as TF.Tensor).arraySync(), [260, 7]);
    assert.deepEqual((result.list[1] as { masked: TF.Tensor }).masked.arraySync(), [5, 0]);
    program.dispose();
  });

  it('gathers by indices that are an argument, along any axis, with the gradient that tfjs has', async () => {
    const table = tf.variable(tf.range(0, 24).reshape([2, 4, 3]));
    const ids = tf.tensor2d([3, 0, 1, 3], [2, 2], 'int32');
    const step = ({ at }: { at: TF.Tensor }) => {
      const { value, grads } = tf.variableGrads(
        () =>
          tf
            .gather(table, at as TF.Tensor2D, 1)
            .square()
            .sum() as TF.Scalar,
        [table],
      );
      return { value, slope: grads[table.name], batched: tf.gather(table, at as TF.Tensor2D, 1, 1) };
    };
    const eager = step({ at: ids });
    const program = await compile({ step: { args: { at: ids }, run: step } }, { table });
    const compiled = program.step({ at: ids });
    for (const name of ['value', 'slope', 'batched'] as const)
      assert.deepEqual(compiled[name].arraySync(), eager[name].arraySync(), name);
    // by hand: 2 x value for each time that a row is taken; row 3 is taken twice, row 2 never
    const slope = (compiled.slope.arraySync() as number[][][])[0];
    assert.deepEqual(slope, [
      [0, 2, 4],
      [6, 8, 10],
      [0, 0, 0],
      [36, 40, 44],
    ]);
    assert.throws(() => program.step({ at: tf.tensor2d([9, 0, 0, 0], [2, 2], 'int32') }), { code: 'COMPILED_FAILED' });
    assert.throws(() => tf.gather(table, tf.tensor1d([9], 'int32'), 1), /GatherV2: the index value 9/);
    program.dispose();
    tf.dispose([table, ids, eager, compiled]);
  });

  it('uses the graph of a disposed program again, when asked to and when it is the same, with the new values', async () => {
    const graphs = () => internals().binding.getNumOfSavedModels();
    const counter = (start: number, by: number, reuse = true) => {
      const count = tf.variable(tf.scalar(start));
      return compile(
        {
          next: {
            args: {},
            run: () => {
              count.assign(count.add(by) as TF.Scalar);
              return count.clone();
            },
          },
        },
        { count },
        { reuse },
      ).finally(() => count.dispose());
    };
    const calls = (program: Awaited<ReturnType<typeof counter>>, times: number) =>
      tf.tidy(() => Array.from({ length: times }, () => program.next({}).dataSync()[0]));

    (await counter(0, 3)).dispose();
    const before = graphs() - 1; // that of this program waits now, whatever ran before
    const first = await counter(5, 1);
    assert.deepEqual(calls(first, 3), [6, 7, 8]);
    const beside = await counter(100, 1); // while the first lives, it has a graph of its own
    assert.equal(graphs(), before + 2);
    first.dispose();
    assert.throws(() => first.next({}), { code: 'COMPILED_DISPOSED' });
    beside.dispose();
    assert.equal(graphs(), before + 1, 'one graph waits');

    const again = await counter(50, 1);
    assert.equal(graphs(), before + 1);
    assert.deepEqual(calls(again, 2), [51, 52]);
    again.dispose();
    again.dispose();

    const other = await counter(0, 2); // another graph
    assert.deepEqual(calls(other, 2), [2, 4]);
    assert.equal(graphs(), before + 1, 'the one that waited is freed');
    other.dispose();
    const own = await counter(0, 2, false);
    assert.deepEqual(calls(own, 1), [2]);
    own.dispose();
    assert.equal(graphs(), before + 1, 'without `reuse` nothing waits');
  });

  it('keeps variables between calls and shares them between functions; they are read and written by name', async () => {
    const total = tf.variable(tf.scalar(1));
    const program = await compile(
      {
        add: {
          args: { x: { shape: [], dtype: 'float32' } },
          run: ({ x }: { x: TF.Tensor }) => {
            const old = total.clone();
            total.assign(total.add(x) as TF.Scalar);
            return { old, now: total.clone() };
          },
        },
        look: { args: {}, run: () => total.mul(10) },
      },
      { total },
    );
    const first = program.add({ x: 4 });
    assert.deepEqual([first.old.dataSync()[0], first.now.dataSync()[0]], [1, 5]);
    assert.equal(program.look({}).dataSync()[0], 50);
    assert.equal(total.dataSync()[0], 1, 'the tf.Variable itself keeps its value');
    program.write({ total: 7 });
    assert.equal(program.read(['total']).total.dataSync()[0], 7);
    assert.equal(program.look({}).dataSync()[0], 70);
    assert.throws(() => program.write({ totl: 1 }), { code: 'UNKNOWN_VARIABLE_OF_THIS_PROGRAM' });
    assert.throws(() => program.write({ total: Float32Array.of(1, 2) }), { code: 'COMPILED_VARIABLE' });
    program.dispose();
    program.dispose();
    assert.throws(() => program.look({}), { code: 'COMPILED_DISPOSED' });
    total.dispose();
  });

  it('gives every reader the value from before the call, also after assignments', async () => {
    const a = tf.variable(tf.scalar(1));
    const b = tf.variable(tf.scalar(2));
    const program = await compile(
      {
        swap: {
          args: {},
          run: () => {
            const kept = a.clone();
            a.assign(b.clone() as TF.Scalar);
            b.assign(kept as TF.Scalar);
            return [];
          },
        },
      },
      { a, b },
    );
    for (let i = 0; i < 5; i++) program.swap({});
    const { a: nowA, b: nowB } = program.read();
    assert.deepEqual([nowA.dataSync()[0], nowB.dataSync()[0]], [2, 1]);
    program.dispose();
    tf.dispose([a, b, nowA, nowB]);
  });

  it('keeps two variables of one tensor apart', async () => {
    const zeros = tf.zeros([2]);
    const [a, b] = [tf.variable(zeros), tf.variable(zeros)];
    const program = await compile(
      {
        f: {
          args: {},
          run: () => {
            a.assign(a.add(1));
            return b.clone();
          },
        },
      },
      { a, b },
    );
    program.f({});
    assert.deepEqual(Array.from(program.f({}).dataSync()), [0, 0]);
    assert.deepEqual(Array.from(program.read(['a']).a.dataSync()), [2, 2]);
    program.dispose();
  });

  it('compiles one version for each shape and chooses by the call', async () => {
    const program = await compile(
      {
        sum: {
          args: [3, 2].map((n) => ({ x: { shape: [n], dtype: 'float32' as const } })),
          run: ({ x }: { x: TF.Tensor }) => x.sum(),
        },
      },
      {},
    );
    assert.equal(program.sum({ x: Float32Array.of(1, 2, 3) }).dataSync()[0], 6);
    assert.equal(program.sum({ x: Float32Array.of(1, 2) }).dataSync()[0], 3);
    assert.throws(
      () => program.sum({ x: Float32Array.of(1) }),
      (e: KitError) =>
        /takes "x" as float32 \[3\] or float32 \[2\], found Float32Array of 1/.test(e.message) &&
        /compile a version/.test(e.fix),
    );
    assert.throws(() => program.sum({ x: Int32Array.of(1, 2, 3) }), { code: 'COMPILED_ARGUMENT' });
    assert.throws(() => program.sum({ x: 1 }), { code: 'COMPILED_ARGUMENT' });
    assert.throws(() => program.sum({ x: tf.tensor1d([1, 2, 3], 'int32') }), { code: 'COMPILED_ARGUMENT' });
    assert.throws(() => program.sum({} as { x: TF.Tensor }), { code: 'COMPILED_ARGUMENT_MISSING' });
    program.dispose();
  });

  it('draws stateless random numbers inside, other ones for another seed', async () => {
    const program = await compile(
      {
        draw: {
          args: { seed: { shape: [2], dtype: 'int32' } },
          run: ({ seed }: { seed: TF.Tensor1D }) => statelessUniform([4], seed),
        },
      },
      {},
    );
    const draw = (n: number): number[] => Array.from(program.draw({ seed: Int32Array.of(1, n) }).dataSync());
    assert.deepEqual(draw(1), draw(1));
    assert.notDeepEqual(draw(1), draw(2));
    assert.deepEqual(draw(3), Array.from(statelessUniform([4], tf.tensor1d([1, 3], 'int32')).dataSync()));
    program.dispose();
  });

  describe('equals the eager run', () => {
    type Case = { variables: TF.Variable[]; step: () => TF.Scalar };
    /** A stock tfjs model with a stock tfjs optimizer, whose variables exist after one step. */
    const stock = (model: TF.Sequential, x: TF.Tensor, optimizer: TF.Optimizer): Case => {
      const y = tf.variable(tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32'), 3).toFloat(), false);
      const input = tf.variable(x, false);
      const read = (weights: TF.LayerVariable[]) =>
        weights.map((weight) => (weight as unknown as { val: TF.Variable }).val);
      const step = (): TF.Scalar => {
        const loss = () =>
          tf.losses.softmaxCrossEntropy(y, model.apply(input, { training: true }) as TF.Tensor) as TF.Scalar;
        const { value, grads } = tf.variableGrads(
          loss,
          read((model as unknown as { trainableWeights: TF.LayerVariable[] }).trainableWeights),
        );
        optimizer.applyGradients(grads);
        return value;
      };
      const known = new Set(Object.values(tf.engine().state.registeredVariables));
      tf.tidy(step);
      const made = Object.values(tf.engine().state.registeredVariables).filter((v) => !known.has(v));
      return {
        variables: [
          ...new Set([
            ...read((model as unknown as { weights: TF.LayerVariable[] }).weights),
            ...made,
            y,
            input,
            ...momenta(optimizer),
          ]),
        ],
        step,
      };
    };
    const momenta = (optimizer: TF.Optimizer): TF.Variable[] =>
      Object.values(optimizer as unknown as Record<string, unknown>).filter(
        (v): v is TF.Variable => v instanceof tf.Variable,
      );

    const cases: Record<string, () => Case> = {
      'an LSTM with Adam': () =>
        stock(
          tf.sequential({ layers: [tf.layers.lstm({ units: 8, inputShape: [5, 4] }), tf.layers.dense({ units: 3 })] }),
          tf.randomNormal([6, 5, 4], 0, 1, 'float32', 1),
          tf.train.adam(0.01),
        ),
      'convolution, batch norm, pooling and dense layers of tfjs with momentum': () =>
        stock(
          tf.sequential({
            layers: [
              tf.layers.conv2d({ filters: 4, kernelSize: 3, inputShape: [8, 8, 2], activation: 'relu' }),
              tf.layers.batchNormalization(),
              tf.layers.maxPooling2d({ poolSize: 2 }),
              tf.layers.flatten(),
              tf.layers.dense({ units: 3, activation: 'softmax' }),
            ],
          }),
          tf.randomNormal([6, 8, 8, 2], 0, 1, 'float32', 1),
          tf.train.momentum(0.01, 0.9),
        ),
      'attention and layer norm by hand with SGD': () => {
        const make = (shape: number[], seed: number) => tf.variable(tf.randomNormal(shape, 0, 0.3, 'float32', seed));
        const [x, q, k, v] = [make([2, 5, 4], 1), make([4, 4], 2), make([4, 4], 3), make([4, 4], 4)];
        const step = (): TF.Scalar => {
          const { value, grads } = tf.variableGrads(() => {
            const project = (w: TF.Variable) => tf.matMul(x.reshape([10, 4]), w as TF.Tensor2D).reshape([2, 5, 4]);
            const mixed = tf.softmax(tf.matMul(project(q), project(k), false, true).div(2)).matMul(project(v));
            const { mean, variance } = tf.moments(mixed, -1, true);
            return mixed.sub(mean).div(variance.add(1e-5).sqrt()).mul(x).tanh().mean() as TF.Scalar;
          }, [q, k, v]);
          for (const w of [q, k, v]) w.assign(w.sub(grads[w.name].mul(0.5)));
          return value;
        };
        return { variables: [x, q, k, v], step };
      },
      "the kit's fused ops": () => {
        const make = (shape: number[], seed: number, trainable = true) =>
          tf.variable(tf.randomNormal(shape, 0, 0.3, 'float32', seed), trainable);
        const [x, w, g, b] = [
          make([4, 9, 9, 3], 1, false),
          make([3, 3, 3, 8], 2),
          tf.variable(tf.ones([8])),
          tf.variable(tf.zeros([8])),
        ];
        const [m, s] = [tf.variable(tf.zeros([8]), false), tf.variable(tf.ones([8]), false)];
        const step = (): TF.Scalar => {
          let kept: TF.Tensor[] = [];
          const { value, grads } = tf.variableGrads(() => {
            const normed = batchNorm(
              conv2d(x as TF.Tensor4D, w as TF.Tensor4D, { stride: 2, padding: 1 }),
              g as TF.Tensor1D,
              b as TF.Tensor1D,
              m as TF.Tensor1D,
              s as TF.Tensor1D,
              { training: true },
            );
            kept = [normed.mean!, normed.variance!];
            return softmaxCrossEntropy(
              globalAveragePool(maxPool(relu(normed.value), { size: 3, stride: 2, padding: 1 })),
              tf.tensor1d([0, 1, 2, 3], 'int32'),
            ).mean() as TF.Scalar;
          }, [w, g, b]);
          for (const v of [w, g, b]) v.assign(v.sub(grads[v.name].mul(0.5)));
          m.assign(kept[0]);
          s.assign(kept[1]);
          tf.dispose(kept);
          return value;
        };
        return { variables: [x, w, g, b, m, s], step };
      },
    };
    for (const [name, make] of Object.entries(cases)) {
      it(`for ${name}, losses over 20 steps and the variables after them`, async () => {
        const { variables, step } = make();
        const start = variables.map((v) => v.clone());
        const eager = Array.from({ length: 20 }, () => tf.tidy(() => step().dataSync()[0]));
        const end = variables.map((v) => v.dataSync());
        variables.forEach((v, i) => v.assign(start[i]));
        const program = await compile(
          { step: { args: {}, run: step } },
          Object.fromEntries(variables.map((v, i) => [`v${i}`, v])),
          { captured: 'constant' },
        );
        const compiled = Array.from({ length: 20 }, () => tf.tidy(() => (program.step({}) as TF.Tensor).dataSync()[0]));
        assert.ok(difference(eager, compiled) < 1e-5, `losses ${eager} against ${compiled}`);
        const values = program.read();
        variables.forEach((_, i) => {
          const scale = Math.max(1e-3, ...Array.from(end[i], Math.abs));
          const worst = Math.max(...Array.from(values[`v${i}`].dataSync(), (x, j) => Math.abs(x - end[i][j]) / scale));
          assert.ok(worst < 1e-4, `variable ${i} differs by ${worst}`);
        });
        assert.notEqual(eager[0], eager[19]);
        program.dispose();
        tf.dispose([variables, start, values]);
      });
    }
  });

  it('leaks no tensor: the same number after 200 calls as after 2, and none after disposal', async () => {
    const w = tf.tidy(() => tf.variable(tf.ones([4])));
    w.add(0).dispose(); // its data is handed to TensorFlow
    const native = () =>
      (tf.backend() as unknown as { binding: { getNumOfTensors(): number } }).binding.getNumOfTensors();
    const before = [tf.memory().numTensors, native()];
    const program = await compile(
      {
        step: {
          args: { x: { shape: [4], dtype: 'float32' } },
          run: ({ x }: { x: TF.Tensor }) => {
            w.assign(w.mul(0.9).add(x));
            return w.sum();
          },
        },
      },
      { w },
    );
    const call = () => program.step({ x: Float32Array.of(1, 2, 3, 4) }).dispose();
    call();
    call();
    const [tensors, handles] = [tf.memory().numTensors, native()];
    for (let i = 0; i < 200; i++) call();
    assert.deepEqual([tf.memory().numTensors, native()], [tensors, handles]);
    const silent = await compile(
      {
        step: {
          args: {},
          run: () => {
            w.assign(w.mul(2));
            return [];
          },
        },
      },
      { w },
    );
    const between = tf.memory().numTensors;
    silent.step({});
    assert.equal(tf.memory().numTensors, between, 'a function that only updates leaves nothing either');
    silent.dispose();
    program.dispose();
    assert.deepEqual([tf.memory().numTensors, native()], before);
    w.dispose();
  });

  describe('refuses, naming function, op and remedy', () => {
    const one = { x: { shape: [2], dtype: 'float32' as const } };
    const f = (run: (args: { x: TF.Tensor }) => TF.Tensor) => compile({ f: { args: one, run } }, {});

    for (const made of [true, false]) {
      it(`a captured tensor ${made ? 'that was used before' : 'that was never used'}`, async () => {
        const outside = tf.tensor1d([1, 2]);
        if (made) outside.add(1).dispose();
        await refused(
          f(({ x }) => x.mul(outside)),
          'COMPILE_CAPTURED',
          '"f"',
          'Mul',
        );
      });
    }
    it('a variable that is not listed: read, even where captured tensors are frozen, or assigned to', async () => {
      const v = tf.variable(tf.tensor1d([1, 2]), true, 'forgotten');
      for (const captured of ['error', 'constant'] as const) {
        await refused(
          compile({ f: { args: one, run: ({ x }: { x: TF.Tensor }) => x.mul(v) } }, {}, { captured }),
          'COMPILE_UNLISTED_VARIABLE',
          'Mul',
          'forgotten',
        );
        await refused(
          compile(
            {
              f: {
                args: one,
                run: ({ x }: { x: TF.Tensor }) => {
                  v.assign(x.add(1) as TF.Tensor1D);
                  return x;
                },
              },
            },
            {},
            { captured },
          ),
          'COMPILE_UNLISTED_VARIABLE',
          'forgotten',
        );
      }
      assert.deepEqual(Array.from(v.dataSync()), [1, 2]);
      v.dispose();
    });
    it('a captured tensor that shares the data of a listed variable', async () => {
      const w = tf.variable(tf.tensor1d([1, 2]));
      const start = w.clone();
      await refused(compile({ f: { args: {}, run: () => w.sub(start) } }, { w }), 'COMPILE_CAPTURED', 'Sub');
      const x = tf.tensor1d([5, 6]);
      const v = tf.variable(x);
      await refused(compile({ f: { args: {}, run: () => v.sub(x) } }, { v }), 'COMPILE_CAPTURED', 'Sub');
      tf.dispose([w, v]);
    });
    it('a data type that a graph cannot hold', async () => {
      await refused(
        compile(
          { f: { args: { x: { shape: [1], dtype: 'int64' as 'int32' } }, run: ({ x }: { x: TF.Tensor }) => x } },
          {},
        ),
        'COMPILE_DTYPE',
        '"x"',
        'int64',
      );
      await refused(
        compile({ f: { args: {}, run: () => tf.scalar(1) } }, { s: tf.variable(tf.tensor1d(['a'])) }),
        'COMPILE_DTYPE',
        '"s"',
        'string',
      );
    });
    it('but freezes a captured tensor when asked to', async () => {
      const outside = tf.tensor1d([3, 4]);
      const program = await compile(
        { f: { args: one, run: ({ x }: { x: TF.Tensor }) => [x.mul(outside), outside] } },
        {},
        { captured: 'constant' },
      );
      assert.deepEqual(
        program.f({ x: Float32Array.of(1, 2) }).map((t) => t.arraySync()),
        [
          [3, 8],
          [3, 4],
        ],
      );
      program.dispose();
    });
    it('data read inside', () =>
      refused(
        f(({ x }) => x.mul(x.sum().dataSync()[0])),
        'COMPILE_READS_DATA',
        '"f"',
      ));
    it('random numbers drawn in JavaScript, seeded or not', async () => {
      await refused(
        f(({ x }) => x.add(tf.randomNormal([2]))),
        'COMPILE_HOST_RANDOM',
        'tf.randomNormal',
      );
      await refused(
        f(({ x }) => x.add(tf.randomUniform([2], 0, 1, 'float32', 7))),
        'COMPILE_HOST_RANDOM',
        'tf.randomUniform',
      );
      await refused(
        f(({ x }) => tf.dropout(x, 0.5)),
        'COMPILE_HOST_RANDOM',
        'tf.randomUniform',
      );
    });
    it('an asynchronous function, also one that fails later', async () => {
      const asynchronous = (run: (args: { x: TF.Tensor }) => Promise<TF.Tensor>) =>
        f(run as unknown as (a: { x: TF.Tensor }) => TF.Tensor);
      await refused(
        asynchronous(async ({ x }) => x),
        'COMPILE_ASYNC',
        '"f"',
      );
      await refused(
        asynchronous(async ({ x }) => {
          await Promise.resolve();
          return x.add(1);
        }),
        'COMPILE_ASYNC',
        '"f"',
      );
    });
    it('a variable created inside', () =>
      refused(
        f(({ x }) => tf.variable(x).add(1)),
        'COMPILE_CREATES_VARIABLE',
        '"f"',
      ));
    it('a result that is no tensor', () =>
      refused(f((() => ({ loss: 3 })) as unknown as (a: { x: TF.Tensor }) => TF.Tensor), 'COMPILE_RESULT', '"f".loss'));
    it('a reserved name', () =>
      refused(compile({ read: { args: {}, run: () => tf.scalar(1) } }, {}), 'COMPILE_RESERVED_NAME', '"read"'));

    it('and leaves variables, tensors and the backend as they were', async () => {
      const w = tf.variable(tf.scalar(1));
      const before = tf.memory().numTensors;
      await assert.rejects(
        compile(
          {
            f: {
              args: {},
              run: () => {
                w.assign(w.add(1) as TF.Scalar);
                return tf.scalar(w.dataSync()[0]);
              },
            },
          },
          { w },
        ),
      );
      assert.equal(w.dataSync()[0], 1);
      assert.equal(tf.memory().numTensors, before);
      assert.equal(tf.scalar(2).add(3).dataSync()[0], 5);
      w.dispose();
    });
  });
});
