// The tensors of each cell: counts them for `memory()`, and frees those of an earlier run of the cell.
import v8 from 'node:v8';
import vm from 'node:vm';
import type { TF } from '../../engine/tensorflow';
import type { CellTensors } from '../../base/notebook-host';

/** The used part of TensorFlow.js's engine. */
interface Engine {
  trackTensor(tensor: TF.Tensor, backend: unknown): void;
  disposeTensor(tensor: TF.Tensor): void;
  state: { registeredVariables: Record<string, TF.Variable> };
}

/** A tensor that may be unused: a copy of its fields frees its memory after the tensor is collected. */
interface Unsure {
  tensor: WeakRef<TF.Tensor>;
  copy: TF.Tensor;
}

/** The tensors of a notebook that are not disposed, by the cell that made them. */
export class TensorLedger {
  /** By a name that a cell keeps when it runs again. */
  private readonly cells = new Map<string, { number: number; tensors: Set<TF.Tensor> }>();
  private readonly owners = new WeakMap<TF.Tensor, Set<TF.Tensor>>();
  private engine: Engine | undefined;
  private running: Set<TF.Tensor> | null = null;
  private old: Set<TF.Tensor> | null = null;

  /** Watches the engine as soon as TensorFlow.js has set its global variable. */
  watch(): void {
    Object.defineProperty(globalThis, '_tfengine', {
      configurable: true,
      enumerable: true,
      get: () => this.engine,
      set: (value: Engine) => {
        this.engine = value;
        this.attach(value);
      },
    });
  }

  private attach(engine: Engine): void {
    const { trackTensor, disposeTensor } = engine;
    engine.trackTensor = (tensor, backend) => {
      trackTensor.call(engine, tensor, backend);
      if (this.running === null) return;
      this.running.add(tensor);
      this.owners.set(tensor, this.running);
    };
    engine.disposeTensor = (tensor) => {
      this.owners.get(tensor)?.delete(tensor);
      disposeTensor.call(engine, tensor);
    };
  }

  /**
   * The cell `name` begins, with this number in its prompt. The names of its earlier variables are free again. Their
   * values remain as long as they are used.
   */
  begin(name: string, number: number): void {
    this.old = this.cells.get(name)?.tensors ?? null;
    for (const variable of this.old ?? []) if (this.isRegistered(variable)) delete this.registered[variable.name];
    this.running = new Set();
    this.cells.delete(name);
    this.cells.set(name, { number, tensors: this.running });
  }

  /**
   * The cell has ended. After a success, unused tensors of its earlier run are freed (the garbage collector decides);
   * after a failure all are kept.
   */
  async end(ok: boolean): Promise<void> {
    const { old, running, engine } = this;
    this.old = null;
    if (old === null || running === null || engine === undefined || old.size === 0) return;
    if (!ok) {
      for (const tensor of old) this.keep(tensor, running);
      return;
    }
    const unsure = weaken(old);
    await turn();
    collectGarbage();
    await turn();
    for (const { tensor, copy } of unsure) {
      const living = tensor.deref();
      if (living !== undefined) this.keep(living, running);
      else engine.disposeTensor(copy);
    }
  }

  /** Tensors by cell, in order of execution. */
  counts(): CellTensors[] {
    return [...this.cells.values()].map(({ number, tensors }) => {
      const living = [...tensors].filter((tensor) => !tensor.isDisposed);
      return { cell: number, tensors: living.length, bytes: living.reduce((sum, tensor) => sum + bytesOf(tensor), 0) };
    });
  }

  private keep(tensor: TF.Tensor, owner: Set<TF.Tensor>): void {
    owner.add(tensor);
    this.owners.set(tensor, owner);
    if (isVariable(tensor) && !tensor.isDisposed) this.registered[tensor.name] ??= tensor;
  }

  private get registered(): Record<string, TF.Variable> {
    return this.engine?.state.registeredVariables ?? {};
  }

  private isRegistered(tensor: TF.Tensor): tensor is TF.Variable {
    return isVariable(tensor) && this.registered[tensor.name] === tensor;
  }
}

const isVariable = (tensor: TF.Tensor): tensor is TF.Variable => 'trainable' in tensor && 'name' in tensor;

/** Empties a set of tensors, so that only the rest of the process refers to them. */
function weaken(tensors: Set<TF.Tensor>): Unsure[] {
  const unsure = [...tensors]
    .filter((tensor) => !tensor.isDisposed)
    .map((tensor) => ({
      tensor: new WeakRef(tensor),
      copy: Object.assign(Object.create(Object.getPrototypeOf(tensor) as object) as TF.Tensor, tensor),
    }));
  tensors.clear();
  return unsure;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let collect: (() => void) | undefined;

/** Runs a full garbage collection. */
function collectGarbage(): void {
  if (collect === undefined) {
    v8.setFlagsFromString('--expose-gc');
    collect = vm.runInNewContext('gc') as () => void;
  }
  collect();
}

const BYTES: Record<string, number> = { float32: 4, int32: 4, bool: 1, complex64: 8 };
const bytesOf = ({ size, dtype }: TF.Tensor): number => size * (BYTES[dtype] ?? 0);
