// Bytes in the state of a widget: they travel beside the JSON, with their places in it.

/** Where bytes stand in a state: names and indices from the outside in. */
export type BufferPath = (string | number)[];

/** A state as it is sent. */
export interface SplitState {
  /** The state without its bytes. */
  value: Record<string, unknown>;
  /** The places of `buffers`. */
  paths: BufferPath[];
  buffers: Uint8Array[];
}

/** Takes the bytes (`Uint8Array` and other views, `ArrayBuffer`) out of a state. */
export function takeBuffers(state: object): SplitState {
  const paths: BufferPath[] = [];
  const buffers: Uint8Array[] = [];
  const visit = (value: unknown, path: BufferPath): unknown => {
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
      paths.push(path);
      const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : value;
      buffers.push(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      return null;
    }
    if (Array.isArray(value)) return value.map((each, i) => visit(each, [...path, i]));
    if (typeof value !== 'object' || value === null || 'toJSON' in value) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, visit(each, [...path, name])]));
  };
  return { value: visit(state, []) as Record<string, unknown>, paths, buffers };
}

/** Puts bytes into a received state. Places that the state does not have are ignored. */
export function insertBuffers(state: object, paths: readonly BufferPath[], buffers: readonly Uint8Array[]): object {
  const whole = structuredClone(state) as Record<string | number, unknown>;
  for (const [i, path] of paths.entries()) {
    let at: unknown = whole;
    for (const name of path.slice(0, -1)) at = Object.hasOwn(at ?? {}, name) ? (at as typeof whole)[name] : undefined;
    const last = path.at(-1);
    if (typeof at === 'object' && at !== null && last !== undefined && Object.hasOwn(at, last))
      (at as typeof whole)[last] = buffers[i];
  }
  return whole;
}
