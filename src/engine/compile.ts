// Turns ordinary tfjs functions into one program: each becomes a whole-graph call, all share the program's variables.
// It knows nothing of networks or training; anybody who uses tfjs-node can use it.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DataType, internals, type DataTypeName } from './binding';
import { KitError } from '../base/errors';
import { flatten, type Nested } from './graph/nested';
import { lowerPrecision, type Precision } from './passes/precision';
import {
  choose,
  controlsOf,
  Session,
  type ArgumentSpec,
  type Feed,
  type ProgramControls,
  type VariableNodes,
  type Version,
} from './graph/program';
import { fuseMomentum } from './passes/fused-momentum';
import { Recorder, type Captured, type Value } from './graph/recorder';
import { encodeSavedModel, type GraphNode } from './graph/saved-model';
import { computeAgain, computeLate, keepApart } from './passes/recompute';
import type { Graph, TensorShape } from './graph/shapes';
import { tf, type TF } from './tensorflow';

/** One function of a program. */
export interface FunctionSpec<
  A extends Record<string, TF.Tensor> = Record<string, never>,
  R extends Nested<TF.Tensor> = Nested<TF.Tensor>,
> {
  /**
   * Shapes that it is compiled for; an array compiles one version for each, chosen by the shapes of a call. A tensor
   * stands for its shape and data type.
   */
  args: ArgumentShapes<A> | ArgumentShapes<A>[];
  /** Any tfjs code that computes with tensors alone, assigns to variables, and returns tensors, nested as it likes. */
  run(args: A): R;
}

/** Shapes of a function's arguments, by name. */
export type ArgumentShapes<A> = { [K in keyof A]: ArgumentSpec | TF.Tensor };

/** A call of function `F`. */
export type CompiledFunction<F> = F extends { run(args: infer A): infer R }
  ? (args: { [K in keyof A]: Feed }) => R
  : never;

/** A compiled program: its functions by name, and the variables that they share. */
export type Program<F> = { [K in keyof F]: CompiledFunction<F[K]> } & ProgramControls;

/** Options of `compile`. */
export interface CompileOptions {
  /**
   * A tensor that a function captures from outside is refused (`'error'`, the default) or its present value frozen
   * (`'constant'`).
   */
  captured?: Captured;
  /**
   * Whether `dispose` leaves the graph loaded, for the next program that is compiled so and turns out to be the same:
   * it then has not to be loaded, nor
   * optimised by TensorFlow at its first call. One graph at most waits in a process, with the memory of its variables.
   * Default false.
   */
  reuse?: boolean;
  /**
   * What the networks inside the functions compute in; variables, arguments and results stay what they are. See
   * `precision.ts`. Default `float32`.
   */
  precision?: Precision;
  /** Sees the finished graph before TensorFlow gets it, and may refuse it by throwing. */
  onGraph?: (graph: Graph) => void;
  /** Whether the graph is made shorter and smaller in memory than it was recorded, to the same bits. Default true. */
  optimise?: boolean;
}

/** What is done to a recorded graph, in this order. */
const PASSES: ((nodes: GraphNode[]) => GraphNode[])[] = [fuseMomentum, keepApart, computeAgain, computeLate];

// `never` and a method: functions of any argument type are accepted.
type Functions = Record<string, { args: object; run(args: never): Nested<TF.Tensor> }>;

/**
 * Compiles `functions` over `variables` (by name, or a list that is named by its variables' own names).
 *
 * Each function runs once, recorded, on arguments of zeros: its ops become a graph and compute nothing, and the
 * variables keep their values. The program
 * then holds its own copy of each variable, beginning with its present value; the tf.Variables themselves may be
 * disposed.
 * A function's results are new tensors (tidied like those of any op); its updates of variables have happened when it
 * returns.
 *
 * @throws KitError naming function, op and remedy when a function captures a tensor, reads data, draws random numbers
 *   in
 * JavaScript, is asynchronous, or creates a variable or assigns to one that is not listed.
 */
export async function compile<F extends Functions>(
  functions: F,
  variables: Record<string, TF.Variable> | readonly TF.Variable[],
  options: CompileOptions = {},
): Promise<Program<F>> {
  const { nodes, shapes, builder, named, versions } = recorded(functions, variables, options);
  options.onGraph?.({ nodes, shapes });
  const session = loaded(encodeSavedModel(nodes), options.reuse ?? false);
  const controls = controlsOf(session, builder.variables);
  controls.write(named);
  const calls = Object.fromEntries(
    [...versions].map(([name, all]) => [
      name,
      (args: Record<string, Feed>) => session.run(choose(name, all, args), args),
    ]),
  );
  return { ...calls, ...controls } as Program<F>;
}

/** The graph that `compile` would load, without loading it. */
export function graphOf<F extends Functions>(
  functions: F,
  variables: Record<string, TF.Variable> | readonly TF.Variable[],
  options: CompileOptions = {},
): Graph {
  const { nodes, shapes } = recorded(functions, variables, options);
  return { nodes, shapes };
}

/** Everything of a program but its session. */
function recorded<F extends Functions>(
  functions: F,
  variables: Record<string, TF.Variable> | readonly TF.Variable[],
  options: CompileOptions,
) {
  const named: Record<string, TF.Variable> = isList(variables)
    ? Object.fromEntries(variables.map((v) => [v.name, v]))
    : variables;
  const builder = new Builder(named, options.captured ?? 'error');
  const versions = new Map<string, Version[]>();
  for (const [name, { args, run }] of Object.entries(functions)) {
    if (RESERVED.has(name))
      throw new KitError(`A compiled function cannot be named "${name}": every program has that.`, {
        fix: 'Rename it.',
      });
    const shapes = (Array.isArray(args) ? args : [args]) as Record<string, ArgumentSpec | TF.Tensor>[];
    versions.set(
      name,
      shapes.map((shape) => builder.version(name, shape, run as (a: Record<string, TF.Tensor>) => Nested<TF.Tensor>)),
    );
  }
  const { nodes, shapes } = lowerPrecision(builder.recorder, options.precision ?? 'float32');
  const shorter = (options.optimise ?? true) ? PASSES.reduce((graph, pass) => pass(graph), [...nodes]) : nodes;
  return { nodes: shorter, shapes: new Map([...shapes, ...shapesAgain(shorter, shapes)]), builder, named, versions };
}

/** The shapes of what a pass computes a second time, in nodes named after the first. */
function shapesAgain(nodes: readonly GraphNode[], shapes: Graph['shapes']): [string, TensorShape][] {
  const first = new Map(
    nodes.filter(({ name }) => name.endsWith('/again')).map(({ name }) => [name.slice(0, -'/again'.length), name]),
  );
  return [...shapes].flatMap(([value, known]) => {
    const [name, output] = value.split(':');
    const again = first.get(name);
    return again === undefined
      ? []
      : [[output === undefined ? again : `${again}:${output}`, known] as [string, TensorShape]];
  });
}

const RESERVED = new Set(['read', 'write', 'dispose', 'then']);

const isList = (variables: object): variables is readonly TF.Variable[] => Array.isArray(variables);

/** Builds the graph: the variables' nodes first, then one version after another. */
class Builder {
  readonly recorder = new Recorder();
  readonly variables = new Map<string, VariableNodes>();

  constructor(
    private readonly named: Record<string, TF.Variable>,
    private readonly captured: Captured,
  ) {
    Object.entries(named).forEach(([name, variable], i) => {
      requireDtype(`variable "${name}"`, variable.dtype);
      // Values are told apart by their data: a variable made from a tensor that still lives, or cloned, gets data of
      // its own.
      if (tf.backend().refCount(variable.dataId) > 1)
        tf.tidy(() => variable.assign(tf.tensor(variable.dataSync(), variable.shape, variable.dtype)));
      this.variables.set(name, this.variableNodes(variable, `variable_${i}`));
    });
  }

  private variableNodes({ shape, dtype }: TF.Variable, handle: string): VariableNodes {
    const { recorder } = this;
    const kind = { type: DataType[dtype as DataTypeName] };
    recorder.add(
      'VarHandleOp',
      [],
      { dtype: kind, shape: { shape }, shared_name: { string: handle }, container: { string: '' } },
      handle,
    );
    const initial = recorder.add('Placeholder', [], { dtype: kind, shape: { shape } }, `${handle}/initial`);
    const assign = recorder.add('AssignVariableOp', [handle, initial], { dtype: kind }, `${handle}/assign`);
    const one = { dtype: DataType.int32, shape: [], bytes: new Uint8Array([1, 0, 0, 0]) };
    const written = recorder.add(
      'Const',
      [`^${assign}`],
      { dtype: { type: DataType.int32 }, value: { tensor: one } },
      `${handle}/written`,
    );
    const value = recorder.add('ReadVariableOp', [handle], { dtype: kind }, `${handle}/value`);
    return { spec: { shape, dtype: dtype as DataTypeName }, handle, initial, written, value };
  }

  version(
    title: string,
    args: Record<string, ArgumentSpec | TF.Tensor>,
    run: (args: Record<string, TF.Tensor>) => Nested<TF.Tensor>,
  ): Version {
    const { recorder, named } = this;
    const specs = Object.entries(args).map(([name, { shape, dtype }]) => {
      requireDtype(`argument "${name}" of the compiled function "${title}"`, dtype);
      return { name, spec: { shape: [...shape], dtype: dtype as DataTypeName } };
    });
    tf.engine().startScope();
    try {
      const inputs = specs.map(({ name, spec }) => ({ name, spec, node: this.placeholder(spec) }));
      const examples: Record<string, TF.Tensor> = {};
      for (const { name, spec, node } of inputs) {
        examples[name] = tf.zeros([...spec.shape], seenInside(spec.dtype));
        recorder.bind(examples[name], {
          name: this.castIfBytes(node, spec.dtype),
          dtype: DataType[seenInside(spec.dtype)],
          shape: spec.shape,
        });
      }
      // A clone shares the data and keeps it alive while the variable itself is assigned to.
      const before = Object.entries(named).map(([name, variable]) => ({ name, variable, kept: variable.clone() }));
      const reads = new Map<string, string>();
      for (const { name, variable } of before) {
        const { handle } = this.variables.get(name)!;
        const dtype = DataType[variable.dtype as DataTypeName];
        recorder.bind(variable, () => {
          const read = recorder.add('ReadVariableOp', [handle], { dtype: { type: dtype } });
          reads.set(name, read);
          return { name: read, dtype, shape: variable.shape };
        });
      }
      const outside = unlisted(named);
      try {
        return recorder.record(
          title,
          this.captured,
          new Map(outside.map(({ name, variable }) => [recorder.idOf(variable), name])),
          () => run(examples),
          (result) => {
            if (result instanceof Promise) throw asynchronous(title, result);
            refuseVariables(title, named, outside);
            const { leaves, structure } = flatten(
              result,
              (leaf): leaf is TF.Tensor => leaf instanceof tf.Tensor,
              `result of "${title}"`,
            );
            // A function that only updates still needs something to fetch.
            const updatesOnly = leaves.length === 0;
            if (updatesOnly) leaves.push(tf.scalar(0));
            // First every value that is needed, so that all reads of variables are known: assignments wait for these.
            const values = leaves.map((leaf) => recorder.valueOf('its result', leaf));
            const assigned = before
              .filter(({ variable, kept }) => variable.dataId !== kept.dataId)
              .map(({ name, variable }) => ({ name, value: recorder.valueOf(`the variable "${name}"`, variable) }));
            const updates = assigned.map(({ name, value }) => this.update(name, value, reads.get(name)));
            const outputs = values.map((value) =>
              recorder.add('Identity', [value.name, ...updates.map((update) => `^${update}`)], {
                T: { type: value.dtype },
              }),
            );
            return { inputs, outputs, structure, updatesOnly };
          },
        );
      } finally {
        for (const { variable, kept } of [...before, ...outside])
          if (variable.dataId !== kept.dataId) variable.assign(kept);
      }
    } finally {
      tf.engine().endScope();
    }
  }

  private placeholder({ shape, dtype }: ArgumentSpec): string {
    return this.recorder.add('Placeholder', [], { dtype: { type: DataType[dtype] }, shape: { shape } });
  }

  private castIfBytes(node: string, dtype: DataTypeName): string {
    if (dtype !== 'uint8') return node;
    return this.recorder.add('Cast', [node], {
      SrcT: { type: DataType.uint8 },
      DstT: { type: DataType.int32 },
      Truncate: { bool: false },
    });
  }

  /** Assigns `value` to a variable, after everything that needs the old value has got it. */
  private update(name: string, value: Value, read: string | undefined): string {
    const order = read === undefined ? [] : [`^${read}`];
    return this.recorder.add('AssignVariableOp', [this.variables.get(name)!.handle, value.name, ...order], {
      dtype: { type: value.dtype },
    });
  }
}

const seenInside = (dtype: DataTypeName): 'float32' | 'int32' | 'bool' => (dtype === 'uint8' ? 'int32' : dtype);

/** A variable as it was before a function ran. */
interface VariableBefore {
  name: string;
  variable: TF.Variable;
  kept: TF.Tensor;
}

/** Every variable of the process that the program does not list. */
function unlisted(named: Record<string, TF.Variable>): VariableBefore[] {
  const listed = new Set(Object.values(named));
  return Object.entries(tf.engine().state.registeredVariables)
    .filter(([, variable]) => !listed.has(variable))
    .map(([name, variable]) => ({ name, variable, kept: variable.clone() }));
}

/** @throws KitError when the function created a variable, or assigned to one that the program does not list. */
function refuseVariables(title: string, named: Record<string, TF.Variable>, outside: VariableBefore[]): void {
  const known = new Set([...Object.values(named), ...outside.map(({ variable }) => variable)]);
  const created = Object.values(tf.engine().state.registeredVariables).filter((variable) => !known.has(variable));
  const names = created.map((variable) => variable.name);
  for (const variable of created) variable.dispose();
  if (names.length > 0) {
    throw new KitError(
      `The compiled function "${title}" creates the variable ${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}.`,
      {
        fix: 'Create every variable before and list it in `variables`. For an optimizer of tfjs, take one step with it first: its variables then exist.',
      },
    );
  }
  const assigned = outside.find(({ variable, kept }) => variable.dataId !== kept.dataId);
  if (assigned !== undefined)
    throw new KitError(
      `The compiled function "${title}" assigns to the variable ${assigned.name}, which the program does not have.`,
      { fix: 'List it in `variables`.' },
    );
}

function asynchronous(title: string, result: Promise<unknown>): KitError {
  result.catch(() => undefined); // whatever becomes of it, this error is the one to see
  return new KitError(`The compiled function "${title}" is asynchronous.`, {
    fix: 'Make it an ordinary function that returns tensors.',
  });
}

function requireDtype(what: string, dtype: unknown): void {
  if (typeof dtype === 'string' && dtype in DataType) return;
  throw new KitError(`The ${what} has the data type ${String(dtype)}.`, {
    fix: `Use ${Object.keys(DataType).join(', ')}.`,
  });
}

/** A graph that a disposed program has left loaded: TensorFlow's number of it, and its hash. */
let waiting: { hash: string; model: number } | null = null;

/** A session of the graph: the one that waits, when it is the same. */
function loaded(savedModel: Buffer, reuse: boolean): Session {
  if (!reuse) return new Session(load(savedModel));
  const hash = createHash('sha256').update(savedModel).digest('hex');
  const kept = waiting;
  waiting = null;
  if (kept !== null && kept.hash !== hash) internals().binding.deleteSavedModel(kept.model);
  const model = kept?.hash === hash ? kept.model : load(savedModel);
  return new Session(model, () => {
    if (waiting !== null) internals().binding.deleteSavedModel(waiting.model);
    waiting = { hash, model };
  });
}

/** Hands the graph to TensorFlow, through a folder that lives only as long as that takes. */
function load(savedModel: Buffer): number {
  let folder: string | undefined;
  try {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-graph-'));
    fs.writeFileSync(path.join(folder, 'saved_model.pb'), savedModel);
    return internals().binding.loadSavedModel(folder, 'serve');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== undefined)
      throw new KitError(
        `The recorded graph (${savedModel.length} bytes) could not be written to ${os.tmpdir()}: ${message}`,
        { fix: 'Free some space there, or name another folder in TMPDIR.', cause },
      );
    throw new KitError(`TensorFlow refused the recorded graph: ${message}`, {
      fix: "If it names a missing attribute, tfjs's kernel leaves it out: add it to the table in src/engine/graph/recorder.ts.",
      cause,
    });
  } finally {
    if (folder !== undefined) fs.rmSync(folder, { recursive: true, force: true });
  }
}
