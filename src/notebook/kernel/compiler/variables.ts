// The variables that cells share: what a cell exports is what later cells read and change.

interface Binding {
  get(): unknown;
  set(value: unknown): void;
}

/** The variables of a notebook, by name. */
export class Variables {
  private readonly values: Record<string, unknown> = {};
  private readonly bindings = new Map<string, Binding>();
  private assigning: string | null = null;

  /** The `exports` of every cell. */
  readonly exports: Record<string, unknown> = new Proxy(this.values, {
    get: (values, name) =>
      typeof name === 'string' && this.bindings.has(name) ? this.bindings.get(name)!.get() : values[name as string],
    set: (_values, name, value) => {
      this.assign(name as string, value);
      return true;
    },
    // What a cell imports is exported by a getter; later cells may import other things under that name.
    defineProperty: (_values, name, attributes) => {
      if (name !== '__esModule')
        this.assign(name as string, attributes.get ? (attributes.get as () => unknown)() : attributes.value);
      return true;
    },
  });

  /**
   * Makes `name` the very variable of the cell that declares it: later cells change it where that cell's functions read
   * it.
   */
  readonly offer = (name: string, get: () => unknown, set: (value: unknown) => void): void => {
    this.values[name] = undefined;
    this.bindings.set(name, { get, set });
  };

  /** A new cell declares `name` anew: functions of the cell that declared it before keep that one's value. */
  redeclare(name: string): void {
    const binding = this.bindings.get(name);
    if (binding === undefined) return;
    this.bindings.delete(name);
    this.values[name] = read(binding);
  }

  /** Takes a value out, for example that of a last expression. */
  take(name: string): unknown {
    const value = this.exports[name];
    this.bindings.delete(name);
    delete this.values[name];
    return value;
  }

  /** All values, by name; those of variables that are not initialised yet are undefined. */
  entries(): [name: string, value: unknown][] {
    return Object.keys(this.values).map((name) => {
      const binding = this.bindings.get(name);
      return [name, binding ? read(binding) : this.values[name]];
    });
  }

  private assign(name: string, value: unknown): void {
    const binding = this.bindings.get(name);
    if (binding === undefined) this.values[name] = value;
    else if (this.assigning !== name) {
      // The assignment to the variable itself exports it once more.
      this.assigning = name;
      try {
        binding.set(value);
      } finally {
        this.assigning = null;
      }
    }
  }
}

function read(binding: Binding): unknown {
  try {
    return binding.get();
  } catch {
    return undefined; // not initialised
  }
}
