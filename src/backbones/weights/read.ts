// Reads a weights file of any format that the kit knows, told by its ending.
import fs from 'node:fs';
import path from 'node:path';
import { sha256File } from '../../data/fetch/registry-package';
import { KitError } from '../../base/errors';
import type { OnProgress } from '../../base/progress';
import { readGraphDef } from './readers/tensorflow/graphdef';
import { readKerasH5 } from './readers/tensorflow/keras-h5';
import { readPth } from './readers/torch/pth';
import { readSafetensors } from './readers/safetensors';
import type { StateDict } from './readers/state-dict';
import { hashOfFiles, type WeightsFormat } from './store';
import { readTfjsLayers, tfjsShards } from './readers/tensorflow/tfjs-layers';

interface Format {
  name: WeightsFormat;
  read(file: string, options: { onProgress?: OnProgress }): Promise<StateDict>;
  /** Everything that `read` reads, in order. */
  files(file: string): Promise<string[]>;
}

const pth: Format = { name: 'pth', read: readPth, files: async (file) => [file] };
const safetensors: Format = { name: 'safetensors', read: readSafetensors, files: async (file) => [file] };
const graphDef: Format = { name: 'graphdef', read: readGraphDef, files: async (file) => [file] };
const kerasH5: Format = { name: 'keras-h5', read: readKerasH5, files: async (file) => [file] };
const tfjsLayers: Format = {
  name: 'tfjs-layers',
  read: readTfjsLayers,
  files: async (file) => [file, ...(await tfjsShards(file))],
};

/** To add a format: one reader, one line. */
const formats: Record<string, Format> = {
  '.pth': pth,
  '.pt': pth,
  '.safetensors': safetensors,
  '.pb': graphDef,
  '.h5': kerasH5,
  '.hdf5': kerasH5,
  '.json': tfjsLayers,
};

/**
 * The named arrays in a weights file: `.pth` and `.pt` (PyTorch), `.safetensors`, `.pb` (frozen TensorFlow
 * graph), `.h5` (Keras), `.json` (TensorFlow.js layers model).
 * @throws KitError when there is no such file, its ending is of another format, or it cannot be read.
 */
export async function readWeights(file: string, options: { onProgress?: OnProgress } = {}): Promise<StateDict> {
  return formatOf(file).read(file, options);
}

/** The format of a weights file, told by its ending. @throws KitError as `readWeights`. */
export const formatOfWeights = (file: string): WeightsFormat => formatOf(file).name;

/** The hash of a weights file and of the shards beside it: what a run records of them. */
export async function hashWeights(file: string): Promise<string> {
  const hashes: string[] = [];
  for (const part of await formatOf(file).files(file)) hashes.push(await sha256File(part));
  return hashOfFiles(hashes);
}

function formatOf(file: string): Format {
  const ending = path.extname(file).toLowerCase();
  if (!fs.existsSync(file)) {
    throw new KitError(
      `There are no weights "${file}": expected "imagenet", "random", or the path of a weights file.`,
      { fix: 'Correct the name or the path.' },
    );
  }
  if (formats[ending] === undefined) {
    throw new KitError(
      `The weights file ${file} has an ending that no reader knows; known: ${Object.keys(formats).join(', ')}.`,
      {
        fix: 'Save the weights as a PyTorch state dict (.pth), a safetensors file, or a TensorFlow.js layers model (model.json).',
      },
    );
  }
  return formats[ending];
}
