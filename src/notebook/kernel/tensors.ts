// Which cell made which tensors: counts them for `memory()`, and disposes of a cell's old ones when it has run again.
import type { TF } from '../../engine/tensorflow';
import type { CellTensors } from '../../base/notebook-host';

/** What is used of TensorFlow.js's engine. */
interface Engine {
  trackTensor(tensor: TF.Tensor, backend: unknown): void;
  disposeTensor(tensor: TF.Tensor): void;
}

/** The living tensors of a notebook, by the cell that made them. */
export class TensorLedger {
  /** By a name that a cell keeps when it runs again. */
  private readonly cells = new Map<string, { number: number; tensors: Set<TF.Tensor> }>();
  private readonly owners = new WeakMap<TF.Tensor, Set<TF.Tensor>>();
  private running: Set<TF.Tensor> | null = null;
  private old: Set<TF.Tensor> | null = null;

  /** Watches the engine from the moment when TensorFlow.js puts it into its global place. */
  watch(): void {
    let engine: Engine | undefined;
    Object.defineProperty(globalThis, '_tfengine', {
      configurable: true,
      enumerable: true,
      get: () => engine,
      set: (value: Engine) => {
        engine = value;
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

  /** The cell `name` begins, with this number in its prompt. */
  begin(name: string, number: number): void {
    this.old = this.cells.get(name)?.tensors ?? null;
    this.running = new Set();
    this.cells.delete(name);
    this.cells.set(name, { number, tensors: this.running });
  }

  /**
   * The cell has ended. When it ended well, the tensors of its earlier run go, but for those that `variables` still
   * hold; after a failure
   * all stay.
   */
  end(ok: boolean, variables: readonly unknown[]): void {
    const { old, running } = this;
    this.old = null;
    if (old === null || running === null || old.size === 0) return;
    const held = ok ? reachableTensors(variables) : null; // null: all
    for (const tensor of [...old]) {
      if (held === null || held.has(tensor)) {
        running.add(tensor);
        this.owners.set(tensor, running);
      } else if (!tensor.isDisposed) tensor.dispose();
    }
  }

  /** Living tensors by cell, in order of execution. */
  counts(): CellTensors[] {
    return [...this.cells.values()].map(({ number, tensors }) => {
      const living = [...tensors].filter((tensor) => !tensor.isDisposed);
      return { cell: number, tensors: living.length, bytes: living.reduce((sum, tensor) => sum + bytesOf(tensor), 0) };
    });
  }
}

const BYTES: Record<string, number> = { float32: 4, int32: 4, bool: 1, complex64: 8 };
const bytesOf = ({ size, dtype }: TF.Tensor): number => size * (BYTES[dtype] ?? 0);

/** Objects that are looked at, at most: with more, nothing is taken to be free. */
const LIMIT = 200_000;

/**
 * The tensors that can be reached from `values` by properties, elements and entries; `null` when there is too much to
 * look at.
 */
function reachableTensors(values: readonly unknown[]): Set<unknown> | null {
  const tensors = new Set<unknown>();
  const seen = new Set<object>();
  const queue: unknown[] = [...values];
  for (let at = 0; at < queue.length; at++) {
    const value = queue[at];
    // What a notebook imports is no value of its own.
    if (
      typeof value !== 'object' ||
      value === null ||
      seen.has(value) ||
      ArrayBuffer.isView(value) ||
      '__esModule' in value
    )
      continue;
    seen.add(value);
    if (seen.size > LIMIT) return null;
    if ('dataId' in value && 'isDisposedInternal' in value) {
      tensors.add(value);
      continue;
    }
    if (value instanceof Map) queue.push(...value.keys(), ...value.values());
    else if (value instanceof Set) queue.push(...value);
    else if (Array.isArray(value)) for (const element of value) if (typeof element === 'object') queue.push(element);
    if (Array.isArray(value)) continue;
    for (const key of Reflect.ownKeys(value)) {
      const property = Object.getOwnPropertyDescriptor(value, key);
      if (property !== undefined && 'value' in property) queue.push(property.value);
    }
  }
  return tensors;
}
