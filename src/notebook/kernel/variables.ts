// The variables that cells share.

/** The variables of a notebook, by name. Later cells read and change the variables of earlier ones. */
export class Variables {
  /** Each variable as a property. */
  readonly scope = Object.create(null) as Record<string, unknown>;

  /** Sets a constant. */
  readonly offer = (name: string, value: unknown): void => {
    Object.defineProperty(this.scope, name, { value, writable: true, enumerable: true, configurable: true });
  };

  /**
   * Makes a variable of a cell a variable of the notebook: functions of that cell read the changes of later cells.
   * Functions of earlier cells keep the earlier variable of that name.
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
        return [name, undefined]; // a getter of a failed import
      }
    });
  }
}

const { defineProperty, hasOwn } = Object;
const standard = Reflect.ownKeys(globalThis).map(
  (name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)!] as const,
);

/** Defines again what a cell deleted of Node's globals: the kernel needs them, and so do other cells. */
export function restoreGlobals(): void {
  for (const [name, descriptor] of standard)
    if (!hasOwn(globalThis, name)) defineProperty(globalThis, name, descriptor);
}
