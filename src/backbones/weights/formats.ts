// The formats of weights files, told by a file's first bytes, or by its ending where these do not say.
import fs from 'node:fs';
import path from 'node:path';
import { KitError } from '../../base/errors';
import type { ReadOptions } from './readers/reading';
import { readSafetensors } from './readers/safetensors';
import type { StateDict } from './readers/state-dict';
import { readGraphDef } from './readers/tensorflow/graphdef';
import { readKerasH5 } from './readers/tensorflow/keras-h5';
import { readTfjsLayers, tfjsShards } from './readers/tensorflow/tfjs-layers';
import { readPth } from './readers/torch/pth';
import type { WeightsFormat } from './store';

/** One format of weights files. */
export interface Format {
  name: WeightsFormat;
  read(file: string, options: ReadOptions): Promise<StateDict>;
  /** Every file that `read` reads, in order. */
  files(file: string): Promise<string[]>;
}

const alone = async (file: string): Promise<string[]> => [file];
const pth: Format = { name: 'pth', read: readPth, files: alone };
const safetensors: Format = { name: 'safetensors', read: readSafetensors, files: alone };
const graphDef: Format = { name: 'graphdef', read: readGraphDef, files: alone };
const kerasH5: Format = { name: 'keras-h5', read: readKerasH5, files: alone };
const tfjsLayers: Format = {
  name: 'tfjs-layers',
  read: readTfjsLayers,
  files: async (file) => [file, ...(await tfjsShards(file))],
};

/** To add a format: one reader, one line here, and one below where its first bytes tell it. */
const byEnding: Readonly<Record<string, Format>> = {
  '.pth': pth,
  '.pt': pth,
  '.tar': pth, // .pth.tar, which is no archive of tar
  '.ckpt': pth,
  '.bin': pth,
  '.safetensors': safetensors,
  '.pb': graphDef,
  '.h5': kerasH5,
  '.hdf5': kerasH5,
  '.json': tfjsLayers,
};

/** By first bytes: formats of weights, and others that files with their endings can be. */
const byStart: { start: RegExp; is: Format | { what: string; fix: string } }[] = [
  { start: /^PK\x03\x04/, is: pth },
  { start: /^\x80[\x02-\x05]/, is: pth },
  { start: /^\x89HDF\r\n\x1a\n/, is: kerasH5 },
  { start: /^[^]{4}\x00{4}\{/, is: safetensors },
  { start: /^\{/, is: tfjsLayers },
  {
    start: /^version https:\/\/git-lfs/,
    is: { what: 'a pointer of Git LFS, and not the file itself', fix: 'Fetch the file: git lfs pull.' },
  },
  {
    start: /^\s*<(!doctype|html|\?xml)/i,
    is: { what: 'a web page', fix: 'Fetch the file again, and look at what the server answers.' },
  },
  { start: /^\x1f\x8b/, is: { what: 'compressed with gzip', fix: 'Decompress it with gunzip first.' } },
];

/**
 * The format of a weights file.
 * @throws KitError when there is no such file, or neither its first bytes nor its ending are of a known format.
 */
export function formatOf(file: string): Format {
  const start = firstBytes(file);
  const known = byStart.find((each) => each.start.test(start))?.is;
  if (known !== undefined && 'read' in known) return known;
  if (known !== undefined)
    throw new KitError(`The weights file ${file} is ${known.what}.`, { code: 'WEIGHTS_FORMAT', fix: known.fix });
  const format = byEnding[path.extname(file).toLowerCase()];
  if (format !== undefined) return format;
  if (/^\n[^]{2}/.test(start)) return graphDef; // its first node: field 1 of the message
  throw new KitError(
    `The weights file ${file} has a format that no reader knows; known endings: ${Object.keys(byEnding).join(', ')}.`,
    {
      code: 'WEIGHTS_FORMAT',
      fix: 'Save the weights as a PyTorch state dict (.pth), safetensors, or a TensorFlow.js model (model.json).',
    },
  );
}

function firstBytes(file: string): string {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat === undefined)
    throw new KitError(
      `There are no weights "${file}": expected "imagenet", "random", or the path of a weights file.`,
      { code: 'WEIGHTS_NOT_FOUND', fix: 'Correct the name or the path.' },
    );
  if (!stat.isFile())
    throw new KitError(`The weights "${file}" are no file.`, { code: 'WEIGHTS_NO_FILE', fix: 'Correct the path.' });
  const descriptor = fs.openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(64);
    return bytes.toString('latin1', 0, fs.readSync(descriptor, bytes, 0, bytes.length, 0));
  } finally {
    fs.closeSync(descriptor);
  }
}
