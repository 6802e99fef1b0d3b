// Turns ordinary tfjs functions into one program: each becomes a whole-graph call, all share the program's variables.
// It knows nothing of networks or training: docs/compile.md shows it for other models.
import { KitError } from '../base/errors';
import { Builder } from './recording/builder';
import { sessionOf } from './graph/load';
import type { Nested } from './graph/nested';
import { choose, controlsOf, type ArgumentSpec, type Feed, type ProgramControls, type Version } from './graph/program';
import { fuseMomentum } from './passes/fused-momentum';
import { lowerPrecision, type Precision } from './passes/precision';
import type { Captured } from './recording/recorder';
import { encodeSavedModel, type GraphNode } from './graph/saved-model';
import { computeAgain, computeLate, keepApart } from './passes/recompute';
import type { Graph, TensorShape } from './graph/shapes';
import type { TF } from './tensorflow';

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
   * Whether `dispose` leaves the graph loaded for the next program with the same graph, which then starts sooner. One
   * graph at most waits in a process, with the memory of its variables. Default false.
   */
  reuse?: boolean;
  /**
   * Data type of the networks inside the functions; variables, arguments and results keep theirs. See `precision.ts`.
   * Default `float32`.
   */
  precision?: Precision;
  /** Sees the finished graph before TensorFlow gets it, and may refuse it by throwing. */
  onGraph?: (graph: Graph) => void;
  /** Whether the graph is made shorter and smaller in memory than it was recorded, to the same bits. Default true. */
  optimise?: boolean;
}

/** The passes over a recorded graph, in this order. */
const PASSES: ((nodes: GraphNode[]) => GraphNode[])[] = [fuseMomentum, keepApart, computeAgain, computeLate];

// `never` and a method: functions of any argument type are accepted.
type Functions = Record<string, { args: object; run(args: never): Nested<TF.Tensor> }>;

/**
 * Compiles `functions` over `variables` (by name, or a list that is named by its variables' own names).
 *
 * Each function runs once, recorded, on arguments of zeros: its ops become a graph and compute nothing, and the
 * variables keep their values. The program then holds its own copy of each variable, which begins with the variable's
 * present value; the tf.Variables themselves may be disposed. A function's results are new tensors (tidied like those
 * of any op); its updates of variables have happened when it returns.
 *
 * @throws KitError naming function, op and remedy when a function captures a tensor, reads data, draws random numbers
 *   in JavaScript, is asynchronous, creates a variable, or assigns to one that is not listed.
 */
export async function compile<F extends Functions>(
  functions: F,
  variables: Record<string, TF.Variable> | readonly TF.Variable[],
  options: CompileOptions = {},
): Promise<Program<F>> {
  const { nodes, shapes, builder, named, versions } = recorded(functions, variables, options);
  options.onGraph?.({ nodes, shapes });
  const session = sessionOf(encodeSavedModel(nodes), options.reuse ?? false);
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
        code: 'COMPILE_RESERVED_NAME',
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

/** The shapes of values that a pass computes a second time, in nodes named after the first. */
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
