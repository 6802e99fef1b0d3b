// The thread that reads Keras `.h5` files with the HDF5 library, compiled to WebAssembly: a damaged file can crash only
// this thread.
import fs from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { Dataset, Group } from 'h5wasm/node' with { 'resolution-mode': 'import' };
import type * as H5 from 'h5wasm/node' with { 'resolution-mode': 'import' };
import { KitError } from '../../../../base/errors';
import { quoted } from '../../../../base/visible';
import { elementArrays, sizeOf, type ElementArray, type ElementType } from '../state-dict';

/** The task of the thread: to read the weights in `file`. */
export interface H5Task {
  file: string;
}

/** Its messages: each weight when it is read, then `done`; or why the file cannot be read. */
export type H5Reply =
  | {
      kind: 'weight';
      name: string;
      shape: number[];
      dtype: ElementType;
      data: ElementArray;
      bytes: number;
      total: number;
    }
  | { kind: 'done' }
  | { kind: 'refused'; message: string; fix: string; code: string };

type Library = typeof H5;

/** Most levels of groups: the name of a layer has fewer slashes. */
const deepest = 16;

/** Most groups: more than any network has layers. */
const mostGroups = 100_000;

const byKeras = 'Give a file that Keras wrote with `model.save_weights` or `model.save`.';

/** The file access of the library. */
class Door {
  /** The only file that may be opened. */
  only = '';
  /** The errors that the library has printed; it continues after most of them. */
  printed = '';

  private constructor() {}

  /**
   * The file access of one library. It opens no external links, external storage or plugins.
   */
  static of({ FS }: Library): Door {
    const files = FS as unknown as Files;
    if (files.door !== undefined) return files.door;
    const door = (files.door = new Door());
    const open = files.open.bind(files);
    files.open = (path, ...rest) => {
      if (path !== door.only) throw new files.ErrnoError(44); // ENOENT of Emscripten
      return open(path, ...rest);
    };
    files.write = (_stream, buffer, offset, length) => {
      if (door.printed.length < 2 ** 16)
        door.printed += Buffer.from(buffer.buffer, buffer.byteOffset + offset, length).toString();
      return length;
    };
    return door;
  }

  /** @throws KitError with the innermost error of the library. */
  check(): void {
    if (this.printed === '') return;
    const reason = [...this.printed.matchAll(/^ *#\d+: .*?\(\): (.*)$/gm)].at(-1)?.[1] ?? this.printed;
    throw new KitError(`The HDF5 library cannot read it: ${quoted(reason, 200).slice(1, -1)}.`, {
      code: 'KERAS_H5_LIBRARY',
    });
  }
}

/** The parts of Emscripten's file system that are used. */
interface Files {
  open(path: string, ...rest: unknown[]): unknown;
  write(stream: unknown, buffer: Int8Array, offset: number, length: number): number;
  ErrnoError: new (errno: number) => Error;
  door?: Door;
}

async function read(file: string, reply: (message: H5Reply, transfer?: ArrayBuffer) => void): Promise<void> {
  const { size } = await fs.promises.stat(file);
  const h5 = await import('h5wasm/node');
  await h5.ready;
  const door = Door.of(h5);
  Object.assign(door, { only: file, printed: '' });
  const opened = new h5.File(file, 'r');
  try {
    door.check();
    const root = opened.keys().includes('model_weights') ? opened.get('model_weights') : opened;
    if (!(root instanceof h5.Group))
      throw new KitError('Its model_weights is not a group.', { code: 'KERAS_H5_LAYOUT', fix: byKeras });
    const found = weightsOf(h5, root);
    door.check();
    if (found.size === 0)
      throw new KitError('It has no layers with weights.', { code: 'KERAS_H5_LAYOUT', fix: byKeras });
    const described = [...found].map(([name, dataset]) => ({ name, dataset, ...describe(h5, name, dataset) }));
    door.check();
    // No dataset is compressed, so together they have at most the bytes of the file.
    const total = described.reduce(
      (sum, { shape, dtype }) => sum + sizeOf(shape) * elementArrays[dtype].BYTES_PER_ELEMENT,
      0,
    );
    if (!(total <= size))
      throw new KitError(`Its weights claim ${total} bytes, and it has ${size}.`, { code: 'KERAS_H5_SIZE' });
    let bytes = 0;
    for (const { name, dataset, shape, dtype } of described) {
      const value: unknown = sizeOf(shape) === 0 ? new elementArrays[dtype](0) : dataset.value;
      door.check();
      const data = shape.length === 0 ? elementArrays[dtype].of(value as never) : value;
      if (!(data instanceof elementArrays[dtype]) || data.length !== sizeOf(shape))
        throw new KitError(`Its weight ${quoted(name)} cannot be read as ${dtype}.`, { code: 'KERAS_H5_WEIGHT' });
      bytes += data.byteLength;
      reply({ kind: 'weight', name, shape, dtype, data, bytes, total }, data.buffer as ArrayBuffer);
    }
  } finally {
    opened.close();
  }
}

/**
 * The datasets that the layers list as their weights (`weight_names`), by the kit's names, in the order of the file. A
 * layer can be nested in groups: slashes in its name make them.
 */
function weightsOf(h5: Library, root: Group): Map<string, Dataset> {
  const found = new Map<string, Dataset>();
  let groups = 0;
  const visit = (group: Group, depth: number): void => {
    if (depth > deepest || ++groups > mostGroups)
      throw new KitError('Its groups are nested too deeply or in a circle.', { code: 'KERAS_H5_GROUPS' });
    // long lists are cut into several
    const listed = Object.keys(group.attrs).filter((name) => /^weight_names\d*$/.test(name));
    if (listed.length > 0) {
      for (const weight of listed.flatMap((name) => texts(group.attrs[name].value))) {
        const dataset = group.get(weight);
        if (!(dataset instanceof h5.Dataset))
          throw new KitError(`Its layer ${quoted(group.path)} lists the weight ${quoted(weight)}, which is missing.`, {
            code: 'KERAS_H5_WEIGHT',
          });
        const name = kerasName(weight);
        if (found.has(name))
          throw new KitError(`It has the weight ${quoted(name)} twice.`, { code: 'KERAS_H5_WEIGHT' });
        found.set(name, dataset);
      }
      return;
    }
    for (const key of group.keys()) {
      const inner = group.get(key);
      if (inner instanceof h5.Group) visit(inner, depth + 1);
    }
  };
  visit(root, 0);
  return found;
}

/** The texts of an attribute. An empty list may be saved as numbers. */
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((text): text is string => typeof text === 'string') : [];

/** Endings of Keras 1, and of Keras since. */
const endings: Readonly<Record<string, string>> = {
  W: 'kernel',
  b: 'bias',
  gamma: 'gamma',
  beta: 'beta',
  running_mean: 'moving_mean',
  running_std: 'moving_variance',
};

/** `conv1/kernel` of `conv1/kernel:0`, and of `conv1_W:0` as Keras 1 had it. */
function kerasName(weight: string): string {
  const name = weight.replace(/:\d+$/, '');
  if (/\/(kernel|depthwise_kernel|bias|gamma|beta|moving_mean|moving_variance)$/.test(name)) return name;
  return name.replace(/_(W|b|gamma|beta|running_mean|running_std)$/, (_, ending: string) => `/${endings[ending]}`);
}

/** Shape and type of a dataset, checked before any of it is read. */
function describe(h5: Library, name: string, dataset: Dataset): { shape: number[]; dtype: ElementType } {
  const { shape, type, size, signed, littleEndian, virtual_sources: sources } = dataset.metadata;
  const refuse = (what: string) =>
    new KitError(`Its weight ${quoted(name)} ${what}.`, {
      code: 'KERAS_H5_WEIGHT',
      fix: 'Save the weights as plain float32 numbers.',
    });
  // Its numbers lie in other data sets or files; where these are missing, the library reads zeros.
  if (sources !== undefined) throw refuse('is a virtual data set');
  const kind =
    type === h5.Module.H5T_class_t.H5T_FLOAT.value
      ? 'float'
      : type === h5.Module.H5T_class_t.H5T_INTEGER.value && signed
        ? 'int'
        : 'other';
  const dtype = `${kind}${size * 8}`;
  if (!['float32', 'float64', 'int32', 'int64'].includes(dtype) || !littleEndian)
    throw refuse(`holds elements of the type ${String(dataset.dtype)}`);
  if (dataset.filters.length > 0) throw refuse('is compressed');
  const sides = (shape ?? [NaN]).map(Number);
  if (!sides.every((side) => Number.isSafeInteger(side) && side >= 0)) throw refuse('has no shape');
  return { shape: sides, dtype: dtype as ElementType };
}

parentPort!.on('message', ({ file }: H5Task) => {
  const reply = (message: H5Reply, transfer?: ArrayBuffer) =>
    parentPort!.postMessage(message, transfer ? [transfer] : []);
  read(file, reply).then(
    () => reply({ kind: 'done' }),
    (error: Error & { fix?: string }) => {
      const { message, fix, code } =
        error instanceof KitError
          ? error
          : {
              message: `The HDF5 library cannot read it (${firstLine(error.message)}).`,
              fix: '',
              code: 'KERAS_H5_LIBRARY',
            };
      reply({ kind: 'refused', message, fix, code });
    },
  );
});

const firstLine = (message: string): string => quoted(String(message).split('\n')[0], 200).slice(1, -1);
