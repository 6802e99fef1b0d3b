// Records an ordinary tfjs function as TensorFlow graph nodes, in place of the native binding while it runs once.
// Nothing is computed: an op's result is one number that claims the shape of the result.
import {
  DataType,
  internals,
  type Attribute,
  type BackendInternals,
  type TensorMetadata,
  type TFJSBinding,
} from '../binding';
import { KitError } from '../../base/errors';
import type { AttributeValue, GraphNode } from '../graph/saved-model';
import { outputShapes, type TensorShape } from '../graph/shapes';
import { withGather } from '../ops/gather';
import { activeOp, HOST_RANDOM_OPS } from './active-op';
import { shapesByRunning } from './shapes-by-running';
import { attributeValue, bytesOf, dataOf } from './tensor-data';
import type { TF } from '../tensorflow';

/** Kernels of tfjs-node that leave out a type attribute, which a graph needs: it is that of the first input. */
const TYPE_OF_FIRST_INPUT: Record<string, string> = { ExpandDims: 'T', Squeeze: 'T', Identity: 'T' };

/** How to treat a tensor that the function captures from outside: refuse it, or freeze its value into the graph. */
export type Captured = 'error' | 'constant';

/** A value of the graph: the name of a node's output, its data type and shape. */
export interface Value extends TensorShape {
  name: string;
}

/** Longest constant of whole numbers that may be somebody's shape, axes or paddings. */
const LONGEST_INTS = 64;

/** Grows the graph of one program: nodes are added by hand or by recording functions. */
export class Recorder {
  readonly nodes: GraphNode[] = [];
  /**
   * Shapes and types of all values that were recorded, by name (`node`, or `node:output` from its second output on).
   */
  readonly shapes = new Map<string, TensorShape>();
  private readonly internals = internals();
  private readonly real = this.internals.binding;
  private values = new Map<number, Value>();
  /** Native ids of what stands in for results. */
  private standIns = new Set<number>();
  private lazyValues = new Map<number, () => Value>();
  private title = '';
  private captured: Captured = 'error';
  private unlisted: ReadonlyMap<number, string> = new Map();

  /** Adds a node and returns its name, which is `name` or made from the op's. */
  add(
    op: string,
    inputs: string[],
    attributes: Record<string, AttributeValue>,
    name = `${op}_${this.nodes.length}`,
  ): string {
    this.nodes.push({ name, op, inputs, attributes });
    return name;
  }

  /** The native id of `tensor`, whose data is handed to TensorFlow if that has not happened yet. */
  idOf(tensor: TF.TensorInfo): number {
    return this.internals.getInputTensorIds([tensor])[0];
  }

  /** Lets the graph's `value` stand for `tensor` while recording. */
  bind(tensor: TF.TensorInfo, value: Value | (() => Value)): void {
    const id = this.idOf(tensor);
    if (typeof value === 'function') this.lazyValues.set(id, value);
    else this.know(id, value);
  }

  /** The graph's value of `tensor`, which `use` (an op's name, or "its result") takes. Only while recording. */
  valueOf(use: string, tensor: TF.TensorInfo): Value {
    return this.inputOf(use, this.idOf(tensor));
  }

  /**
   * Runs `run` with every op recorded, then `finish` with its result, still recording (a result may need its constants
   * made).
   * Bindings and recorded values are forgotten afterwards.
   * @param title of the function, for errors.
   * @param unlisted names of variables that are not the program's, by native id: they are never frozen.
   */
  record<R, S>(
    title: string,
    captured: Captured,
    unlisted: ReadonlyMap<number, string>,
    run: () => R,
    finish: (result: R) => S,
  ): S {
    const { internals, real } = this;
    const { getInputTensorIds, write } = internals;
    const born = new WeakSet<object>();
    Object.assign(this, { title, captured, unlisted });
    internals.binding = this.recordingBinding();
    internals.write = (values, shape, dtype) => {
      this.refuseHostRandom();
      const dataId = write.call(internals, values, shape, dtype);
      born.add(dataId);
      return dataId;
    };
    internals.getInputTensorIds = (tensors) => {
      for (const tensor of tensors) {
        if (tensor.dataId === undefined) continue; // an Int64Scalar of tfjs-node's
        const entry = internals.tensorMap.get(tensor.dataId);
        // Captured before its data ever reached TensorFlow: handed over unrecorded, so that it is met as any captured
        // tensor.
        if (entry.values !== null && !born.has(tensor.dataId))
          this.unrecorded(() => getInputTensorIds.call(internals, [tensor]));
      }
      return getInputTensorIds.call(internals, tensors);
    };
    try {
      return withGather(() => finish(run()));
    } finally {
      internals.binding = real;
      // The stand-ins shadow the backend's own methods: without them, those are seen again.
      delete (internals as Partial<BackendInternals>).write;
      delete (internals as Partial<BackendInternals>).getInputTensorIds;
      this.values = new Map();
      this.standIns = new Set();
      this.lazyValues = new Map();
    }
  }

  private unrecorded<R>(run: () => R): R {
    const recording = this.internals.binding;
    this.internals.binding = this.real;
    try {
      return run();
    } finally {
      this.internals.binding = recording;
    }
  }

  /** The native binding, with everything that makes, transforms or reads a tensor recorded or refused. */
  private recordingBinding(): TFJSBinding {
    const { real } = this;
    const standIns: Partial<TFJSBinding> = {
      createTensor: (shape, dtype, buffer) => {
        const id = real.createTensor(shape, dtype, buffer);
        this.know(id, this.constant(shape, dtype, buffer));
        return id;
      },
      executeOp: (op, attributes, inputIds, outputCount) => {
        const inputs = inputIds.map((id) => this.inputOf(op, id));
        const given = this.attributesOf(op, attributes, inputs);
        const outputs =
          outputShapes(op, inputs, given) ??
          shapesByRunning(
            real,
            { op, attributes, outputCount },
            inputIds.map((id, i) => ({ id, unknown: this.standIns.has(id) ? inputs[i] : null })),
          );
        const node = this.add(
          op,
          inputs.map((input) => input.name),
          given,
        );
        return outputs.map((output, k) => this.standIn({ name: k === 0 ? node : `${node}:${k}`, ...output }));
      },
      deleteTensor: (id) => {
        this.values.delete(id);
        this.standIns.delete(id);
        real.deleteTensor(id);
      },
      tensorDataSync: () => {
        throw this.error(
          'READS_DATA',
          `reads a tensor's data${this.insideOp()}`,
          'Return the tensor and read it outside, or compute with tensors only (tf.where in place of if).',
        );
      },
      runSavedModel: () => {
        throw this.error(
          'NESTED',
          'runs another compiled program',
          'Call the plain function instead: it is recorded along.',
        );
      },
    };
    return Object.create(real, Object.getOwnPropertyDescriptors(standIns)) as TFJSBinding;
  }

  private know(id: number, value: Value): void {
    this.values.set(id, value);
    this.shapes.set(value.name, value);
  }

  /** A tensor of one number that stands for `value`, as the binding describes tensors. */
  private standIn(value: Value): TensorMetadata {
    const id = this.real.createTensor([], value.dtype, dataOf(value.dtype, 1));
    this.know(id, value);
    this.standIns.add(id);
    return { id, shape: [...value.shape], dtype: value.dtype };
  }

  private valueOfId(id: number): Value | undefined {
    const lazy = this.lazyValues.get(id);
    if (lazy !== undefined) {
      this.lazyValues.delete(id);
      this.know(id, lazy());
    }
    return this.values.get(id);
  }

  private inputOf(use: string, id: number): Value {
    const value = this.valueOfId(id);
    if (value !== undefined) return value;
    const variable = this.unlisted.get(id);
    if (variable !== undefined)
      throw this.error(
        'UNLISTED_VARIABLE',
        `gives ${use} the variable ${variable}, which the program does not have`,
        'List it in `variables`.',
      );
    if (this.captured === 'error') {
      throw this.error(
        'CAPTURED',
        `gives ${use} a tensor from outside: it is neither an argument nor one of the program's variables`,
        'Make it an argument, list it in `variables` (a tf.Variable), create it inside the function, or freeze its ' +
          "value with {captured: 'constant'}.",
      );
    }
    const frozen = this.real.executeOp('Identity', [], [id], 1)[0]; // tells shape and data type
    const constant = this.constant(frozen.shape, frozen.dtype, this.real.tensorDataSync(frozen.id));
    this.real.deleteTensor(frozen.id);
    this.know(id, constant);
    return constant;
  }

  private constant(shape: number[], dtype: number, buffer: TF.backend_util.BackendValues): Value {
    const bytes = bytesOf(dtype, buffer);
    if (bytes === undefined)
      throw this.error(
        'DTYPE',
        `makes a constant of TensorFlow's data type ${dtype}`,
        'Use float32, int32 or bool inside a compiled function.',
      );
    const ints =
      dtype === DataType.int32 && buffer.length <= LONGEST_INTS ? Array.from(buffer as Int32Array) : undefined;
    return {
      name: this.add('Const', [], { dtype: { type: dtype }, value: { tensor: { dtype, shape, bytes } } }),
      dtype,
      shape,
      ints,
    };
  }

  private attributesOf(op: string, attributes: Attribute[], inputs: Value[]): Record<string, AttributeValue> {
    const result: Record<string, AttributeValue> = {};
    for (const attribute of attributes) {
      const value = attributeValue(attribute);
      if (value === undefined)
        throw this.error(
          'ATTRIBUTE',
          `calls ${op} with the attribute ${attribute.name} of a kind that a graph cannot hold`,
          'Replace this op.',
        );
      result[attribute.name] = value;
    }
    const missing = TYPE_OF_FIRST_INPUT[op];
    if (missing !== undefined) result[missing] ??= { type: inputs[0].dtype };
    return result;
  }

  private refuseHostRandom(): void {
    const op = activeOp();
    if (op === undefined || !HOST_RANDOM_OPS.has(op)) return;
    throw this.error(
      'HOST_RANDOM',
      `calls tf.${op}, which draws its numbers in JavaScript: every later call would see the same ones`,
      'Draw outside and pass the numbers as an argument, or use `ops.statelessUniform` with a seed as an argument.',
    );
  }

  private insideOp(): string {
    const op = activeOp();
    return op === undefined ? '' : ` in tf.${op}`;
  }

  private error(code: string, what: string, fix: string): KitError {
    return new KitError(`The compiled function "${this.title}" ${what}.`, { code: `COMPILE_${code}`, fix });
  }
}
