// A compiled program as it runs: a graph in a TensorFlow session, the versions of its functions, and its variables.
import { DataType, internals, type DataTypeName } from '../binding';
import { KitError, unknownName } from '../../base/errors';
import { unflatten, type Nested } from './nested';
import { tf, type TF } from '../tensorflow';

/**
 * Shape and data type of an argument. A `uint8` argument is seen as int32 inside the function and takes a quarter of
 * its memory on the way.
 */
export interface ArgumentSpec {
  shape: readonly number[];
  dtype: DataTypeName;
}

/** A value for an argument: a tensor, or the data of one in its shape's order, or a number for a scalar. */
export type Feed = TF.Tensor | Float32Array | Int32Array | Uint8Array | number;

/** What every program has besides its functions. */
export interface ProgramControls {
  /** The variables' present values (all, or those named) as new tensors, which the caller disposes. */
  read(names?: readonly string[]): Record<string, TF.Tensor>;
  /** Sets variables, by name. */
  write(values: Record<string, Feed>): void;
  /** Frees the graph and the variables. The program cannot be used afterwards; a second call does nothing. */
  dispose(): void;
}

/** A function as compiled for one set of shapes. */
export interface Version {
  inputs: { name: string; node: string; spec: ArgumentSpec }[];
  /** Names of the nodes to fetch. */
  outputs: string[];
  /** The function's result with positions of `outputs` in place of tensors. */
  structure: Nested<number>;
  /** Whether the function returns nothing: its output only makes the updates happen. */
  updatesOnly: boolean;
}

/** A variable of the program: the nodes that hold, set and read it. */
export interface VariableNodes {
  spec: ArgumentSpec;
  handle: string;
  /** Placeholder of the value to write, and the node to fetch for that. */
  initial: string;
  written: string;
  value: string;
}

/** The version whose shapes are those of `args`. */
export function choose(title: string, versions: Version[], args: Record<string, Feed>): Version {
  const found = versions.find(({ inputs }) =>
    inputs.every(({ name, spec }) => args[name] !== undefined && mismatch(args[name], spec) === undefined),
  );
  if (found !== undefined) return found;
  const known = versions[0].inputs.map((input) => input.name);
  for (const name of known)
    if (args[name] === undefined)
      throw new KitError(
        `The compiled function "${title}" needs the argument "${name}", ` +
          `found ${Object.keys(args).join(', ') || 'none'}.`,
        { code: 'COMPILED_ARGUMENT_MISSING', fix: 'Give every argument by its name.' },
      );
  const wrong = versions[0].inputs.filter(({ name }) =>
    versions.every((v) => mismatch(args[name], v.inputs.find((i) => i.name === name)!.spec) !== undefined),
  );
  const [{ name }] = wrong.length > 0 ? wrong : versions[0].inputs;
  const expected = versions.map((v) => describe(v.inputs.find((input) => input.name === name)!.spec));
  const taken = [...new Set(expected)].join(' or ');
  throw new KitError(`The compiled function "${title}" takes "${name}" as ${taken}, found ${foundIn(args[name])}.`, {
    code: 'COMPILED_ARGUMENT',
    fix: 'Call it with such a shape, or compile a version for this one too: `args` may be a list.',
  });
}

const describe = ({ dtype, shape }: ArgumentSpec): string => `${dtype} [${shape.join(', ')}]`;

function foundIn(feed: Feed): string {
  if (typeof feed === 'number') return `the number ${feed}`;
  return feed instanceof tf.Tensor
    ? describe({ dtype: feed.dtype as DataTypeName, shape: feed.shape })
    : `${feed.constructor.name} of ${feed.length}`;
}

/** Why `feed` does not fit `spec`; undefined when it does. */
function mismatch(feed: Feed, { shape, dtype }: ArgumentSpec): string | undefined {
  if (typeof feed === 'number')
    return shape.length === 0 && (dtype === 'float32' || (dtype === 'int32' && Number.isInteger(feed)))
      ? undefined
      : 'number';
  if (feed instanceof tf.Tensor) {
    if (feed.dtype !== dtype) return 'dtype';
    return feed.shape.length === shape.length && feed.shape.every((size, i) => size === shape[i]) ? undefined : 'shape';
  }
  if (!(feed instanceof DATA[dtype])) return 'dtype';
  return feed.length === shape.reduce((product, size) => product * size, 1) ? undefined : 'shape';
}

const DATA = { float32: Float32Array, int32: Int32Array, bool: Uint8Array, uint8: Uint8Array } as const;

/** A graph loaded into a TensorFlow session. */
export class Session {
  private disposed = false;

  /** @param release what `dispose` does with the graph. Default: frees it. */
  constructor(
    private readonly model: number,
    private readonly release: () => void = () => internals().binding.deleteSavedModel(model),
  ) {}

  /** Runs one version and gives its result. */
  run(version: Version, args: Record<string, Feed>): Nested<TF.Tensor> {
    const outputs = this.fetch(
      version.inputs.map(({ name, node, spec }) => ({ node, spec, feed: args[name] })),
      version.outputs,
    );
    if (version.updatesOnly) tf.dispose(outputs);
    return unflatten(version.structure, outputs);
  }

  /** Feeds placeholders, runs what `outputs` need, and gives these as tensors. */
  fetch(inputs: { node: string; spec: ArgumentSpec; feed: Feed }[], outputs: string[]): TF.Tensor[] {
    if (this.disposed)
      throw new KitError('This compiled program is disposed.', { code: 'COMPILED_DISPOSED', fix: 'Compile it again.' });
    const node = internals();
    const { binding } = node;
    const made: number[] = [];
    try {
      const ids = inputs.map(({ spec, feed }) => {
        if (feed instanceof tf.Tensor) return node.getInputTensorIds([feed])[0];
        const data = typeof feed === 'number' ? DATA[spec.dtype].of(feed) : feed;
        const id = binding.createTensor([...spec.shape], DataType[spec.dtype], data);
        made.push(id);
        return id;
      });
      const results = binding.runSavedModel(
        this.model,
        ids,
        inputs.map((input) => `${input.node}:0`).join(','),
        outputs.map((name) => `${name}:0`).join(','),
      );
      return results.map((metadata) => node.createOutputTensor(metadata));
    } catch (cause) {
      const { message } = cause as Error;
      const memory = /OOM|out of memory|RESOURCE_EXHAUSTED|allocat/i.test(message);
      throw new KitError(`TensorFlow could not run the compiled program: ${message}`, {
        code: memory ? 'COMPILED_MEMORY' : 'COMPILED_FAILED',
        fix: memory ? 'Memory is short: lower the batch size or the image size.' : '',
        cause,
      });
    } finally {
      for (const id of made) binding.deleteTensor(id);
    }
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.release();
  }
}

/** The controls of a program over `variables` in `session`. */
export function controlsOf(session: Session, variables: Map<string, VariableNodes>): ProgramControls {
  const nodesOf = (name: string): VariableNodes => {
    const nodes = variables.get(name);
    if (nodes === undefined) throw unknownName('variable of this program', name, [...variables.keys()]);
    return nodes;
  };
  return {
    read(names = [...variables.keys()]) {
      if (names.length === 0) return {};
      const values = session.fetch(
        [],
        names.map((name) => nodesOf(name).value),
      );
      return Object.fromEntries(names.map((name, i) => [name, values[i]]));
    },
    write(values) {
      const inputs = Object.entries(values).map(([name, feed]) => ({ name, feed, ...nodesOf(name) }));
      if (inputs.length === 0) return;
      for (const { name, feed, spec } of inputs) {
        if (mismatch(feed, spec) !== undefined)
          throw new KitError(`The variable "${name}" is ${describe(spec)}, found ${foundIn(feed)}.`, {
            code: 'COMPILED_VARIABLE',
            fix: 'Give a value of the shape and data type of the variable.',
          });
      }
      tf.dispose(
        session.fetch(
          inputs.map(({ initial, spec, feed }) => ({ node: initial, spec, feed })),
          inputs.map(({ written }) => written),
        ),
      );
    },
    dispose: () => session.dispose(),
  };
}
