// The variables that cells share.

/** The variables of a notebook, by name: what a cell declares is what later cells read and change. */
export class Variables {
  /** Each variable as a property. */
  readonly scope = Object.create(null) as Record<string, unknown>;

  /** A name gets this value, which does not change. */
  readonly offer = (name: string, value: unknown): void => {
    Object.defineProperty(this.scope, name, { value, writable: true, enumerable: true, configurable: true });
  };

  /**
   * A name becomes the very variable of the cell that declares it: later cells change it where that cell's functions
   * read it. An earlier variable of that name goes on for the functions that use it.
   */
  readonly share = (name: string, get: () => unknown, set?: (value: unknown) => void): void => {
    Object.defineProperty(this.scope, name, { get, set, enumerable: true, configurable: true });
  };

  /** All values, by name. */
  entries(): [name: string, value: unknown][] {
    return Object.keys(this.scope).map((name) => {
      try {
        return [name, this.scope[name]];
      } catch {
        return [name, undefined]; // a getter of an import that fails
      }
    });
  }
}
