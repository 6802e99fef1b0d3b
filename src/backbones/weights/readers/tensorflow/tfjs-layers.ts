// Reads the weights of a TensorFlow.js layers model: `model.json`, and the shards that it lists.
import fs from 'node:fs';
import path from 'node:path';
import { KitError } from '../../../../base/errors';
import type { OnProgress } from '../../../../base/progress';
import { quoted } from '../../../../base/visible';
import { elementArrays, sizeOf, type ElementType, type StateDict } from '../state-dict';

/** A group of `weightsManifest`: its weights lie one after the other in its shards, laid end to end. */
interface WeightsGroup {
  paths: string[];
  weights: { name: string; shape: number[]; dtype: string; quantization?: unknown }[];
}

/** Element types of the format that the kit has a use for. */
const elementTypes: ReadonlySet<string> = new Set<ElementType>(['float32', 'int32', 'uint8', 'bool']);

/** Largest model.json, in bytes: that of ResNet-50 has 110 thousand. */
const largestJson = 2 ** 24;

const fetchAgain = 'Fetch or export the model again, with all of its shards beside model.json.';

/** The shards of a model, as paths, in order. */
export async function tfjsShards(modelJson: string): Promise<string[]> {
  const groups = await readGroups(modelJson);
  return groups.flatMap((group) => group.paths.map((shard) => path.join(path.dirname(modelJson), shard)));
}

/**
 * The named weights of a layers model, with the layouts of Keras. Needs about as much memory as the weights themselves.
 * @throws KitError when `modelJson` is no layers model, or a shard is missing or has not the size that the weights ask
 *   for.
 */
export async function readTfjsLayers(
  modelJson: string,
  { onProgress }: { onProgress?: OnProgress } = {},
): Promise<StateDict> {
  const groups = await readGroups(modelJson);
  const total = groups.flatMap((group) => group.weights).reduce((sum, weight) => sum + byteLength(weight), 0);
  const found: StateDict = new Map();
  let done = 0;
  for (const group of groups) {
    const shards = await openShards(path.dirname(modelJson), group);
    try {
      for (const weight of group.weights) {
        const dtype = weight.dtype as ElementType;
        const bytes = await shards.next(byteLength(weight));
        found.set(weight.name, {
          shape: weight.shape,
          dtype,
          data: new elementArrays[dtype](bytes.buffer as ArrayBuffer),
        });
        onProgress?.({ task: 'read weights', done: (done += bytes.length), total, unit: 'bytes' });
      }
    } finally {
      await shards.close();
    }
  }
  return found;
}

const byteLength = ({ shape, dtype }: { shape: number[]; dtype: string }): number =>
  sizeOf(shape) * elementArrays[dtype as ElementType].BYTES_PER_ELEMENT;

/** The manifest of `modelJson`, with everything in it that is used later checked. */
async function readGroups(modelJson: string): Promise<WeightsGroup[]> {
  const refuse = (why: string, cause?: unknown) =>
    new KitError(`The file ${modelJson} cannot be read as a TensorFlow.js layers model: ${why}.`, {
      code: 'TFJS_LAYERS_MANIFEST',
      fix: fetchAgain,
      cause,
    });
  let groups: unknown;
  try {
    const { size } = await fs.promises.stat(modelJson);
    if (size > largestJson) throw new Error(`it has ${size} bytes, more than ${largestJson}`);
    groups = (JSON.parse(await fs.promises.readFile(modelJson, 'utf8')) as { weightsManifest?: unknown })
      .weightsManifest;
  } catch (cause) {
    throw refuse(quoted((cause as Error).message, 200).slice(1, -1), cause);
  }
  if (!Array.isArray(groups)) throw refuse('it has no weightsManifest');
  const [shards, names] = [new Set<string>(), new Set<string>()];
  for (const group of groups as Partial<WeightsGroup>[]) {
    const { paths, weights } = group ?? {};
    if (!Array.isArray(paths) || !Array.isArray(weights))
      throw refuse('a group of weights lacks its paths or its weights');
    for (const shard of paths as unknown[]) {
      if (typeof shard !== 'string' || shard === '' || shard === '..' || shard !== path.basename(shard))
        throw refuse(`the shard ${quoted(String(shard))} is not a file beside it`);
      // Listed many times, a small file could fill the memory.
      if (shards.has(shard)) throw refuse(`the shard ${quoted(shard)} is listed twice`);
      shards.add(shard);
    }
    for (const weight of weights as unknown[]) {
      const { name, shape, dtype, quantization } = (weight ?? {}) as Partial<WeightsGroup['weights'][number]>;
      const whole = Array.isArray(shape) && shape.every((side) => Number.isSafeInteger(side) && side >= 0);
      if (typeof name !== 'string' || !whole)
        throw refuse(`the weight ${quoted(String(name))} has no name or no shape`);
      if (names.has(name)) throw refuse(`the weight ${quoted(name)} is there twice`);
      names.add(name);
      if (typeof dtype !== 'string' || !elementTypes.has(dtype) || quantization !== undefined) {
        const type = quantization === undefined ? quoted(String(dtype)) : 'quantized';
        throw refuse(`the weight ${quoted(name)} is ${type}; ${[...elementTypes].join(', ')} can be read`);
      }
    }
  }
  return groups as WeightsGroup[];
}

/** Reads the shards of a group as if they were one file, after checking that they are as long as its weights. */
async function openShards(
  folder: string,
  { paths, weights }: WeightsGroup,
): Promise<{ next(count: number): Promise<Uint8Array>; close(): Promise<void> }> {
  const sizes: number[] = [];
  for (const shard of paths) {
    const stat = await fs.promises.stat(path.join(folder, shard)).catch((cause: Error) => {
      throw new KitError(`The shard ${quoted(shard)} of the model in ${folder} cannot be read: ${cause.message}.`, {
        code: 'TFJS_LAYERS_SHARD',
        fix: fetchAgain,
        cause,
      });
    });
    if (!stat.isFile())
      throw new KitError(`The shard ${quoted(shard)} of the model in ${folder} is no file.`, {
        code: 'TFJS_LAYERS_SHARD',
        fix: fetchAgain,
      });
    sizes.push(stat.size);
  }
  const expected = weights.reduce((sum, weight) => sum + byteLength(weight), 0);
  const found = sizes.reduce((sum, size) => sum + size, 0);
  if (found !== expected) {
    const counted = `The shards of the model in ${folder} hold ${found} bytes, its weights need ${expected}`;
    throw new KitError(`${counted}: one is truncated or not of this model.`, {
      code: 'TFJS_LAYERS_SHARD',
      fix: fetchAgain,
    });
  }
  let [shard, position] = [0, 0];
  let file: fs.promises.FileHandle | undefined;
  const next = async (count: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count;) {
      file ??= await fs.promises.open(path.join(folder, paths[shard]));
      const { bytesRead } = await file.read(bytes, at, count - at, position);
      at += bytesRead;
      position += bytesRead;
      if (bytesRead === 0) {
        await file.close();
        [file, shard, position] = [undefined, shard + 1, 0];
        if (shard === paths.length)
          throw new KitError(`The shards of the model in ${folder} became shorter while they were read.`, {
            code: 'TFJS_LAYERS_SHARD',
            fix: fetchAgain,
          });
      }
    }
    return bytes;
  };
  return { next, close: async () => file?.close() };
}
