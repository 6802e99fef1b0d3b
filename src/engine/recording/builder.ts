// Builds the graph of a program: its variables, then one recorded version of a function after another.
import { KitError } from '../../base/errors';
import { DataType, type DataTypeName } from '../binding';
import { tf, type TF } from '../tensorflow';
import { flatten, type Nested } from '../graph/nested';
import type { ArgumentSpec, VariableNodes, Version } from '../graph/program';
import { Recorder, type Captured, type Value } from './recorder';
import { refuseVariables, unlisted } from './variables';

/** Builds the graph: the variables' nodes first, then one version after another. */
export class Builder {
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

function asynchronous(title: string, result: Promise<unknown>): KitError {
  result.catch(() => undefined); // this error is reported, not a later one of the function
  return new KitError(`The compiled function "${title}" is asynchronous.`, {
    code: 'COMPILE_ASYNC',
    fix: 'Make it an ordinary function that returns tensors.',
  });
}

function requireDtype(what: string, dtype: unknown): void {
  if (typeof dtype === 'string' && dtype in DataType) return;
  throw new KitError(`The ${what} has the data type ${String(dtype)}.`, {
    code: 'COMPILE_DTYPE',
    fix: `Use ${Object.keys(DataType).join(', ')}.`,
  });
}
