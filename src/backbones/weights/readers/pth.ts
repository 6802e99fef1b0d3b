// Reads a PyTorch file (`.pth`): the zip of torch 1.6 and later, and the legacy stream before it. Executes nothing of
// what it reads.
import fs from 'node:fs';
import zlib from 'node:zlib';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type yauzl from 'yauzl';
import { readFully } from '../../../base/files/read-fully';
import { withZip } from '../../../data/fetch/zip-file';
import { KitError } from '../../../base/errors';
import type { OnProgress } from '../../../base/progress';
import { ByteStream } from './byte-stream';
import { readPickle } from './pickle';
import type { StateDict } from './state-dict';
import { findTensors, materialise, storageKey, storagesOf, torchRules, type Storage } from './torch-tensors';

/** What a legacy file starts with (torch/serialization.py): a pickled integer, then the number of its protocol. */
const legacyMagic = 0x1950a86a20f9469cfc6cn;
const legacyProtocol = 1001;

const byTorchSave = 'Give a file made by `torch.save`.';

/**
 * The named tensors of a PyTorch file: a state dict, or a checkpoint that holds one under `state_dict` or `model`.
 * A `module.` before every name (left by DataParallel) is taken off. Needs about as much memory as the tensors
 * themselves.
 * @throws KitError when the file is truncated, is no PyTorch file, or asks for anything but tensors.
 */
export async function readPth(path: string, { onProgress }: { onProgress?: OnProgress } = {}): Promise<StateDict> {
  const report: Report = (done, total) => onProgress?.({ task: 'read weights', done, total, unit: 'bytes' });
  try {
    const file = await fs.promises.open(path);
    try {
      const start = Buffer.alloc(4);
      await file.read(start, 0, 4, 0);
      if (start.toString('latin1') !== 'PK\x03\x04') return await readLegacy(file, report);
    } finally {
      await file.close();
    }
    return await withZip(path, (zip) => readZip(zip, report));
  } catch (cause) {
    const { message, fix } = cause as Error & { fix?: string };
    throw new KitError(`The weights file ${path} cannot be read as a PyTorch file. ${message}`, {
      fix: fix || 'Fetch or save the file again.',
      cause,
    });
  }
}

type Report = (done: number, total: number) => void;

/** The zip: a pickle `<name>/data.pkl`, and an entry `<name>/data/<key>` for each storage. */
async function readZip(zip: yauzl.ZipFile, report: Report): Promise<StateDict> {
  const entries = await entriesOf(zip);
  const pickle = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickle === undefined) throw new KitError('It is a zip archive without a data.pkl.', { fix: byTorchSave });
  const folder = pickle.slice(0, -'data.pkl'.length);
  const read = async (name: string): Promise<Buffer> => {
    const entry = entries.get(folder + name);
    if (entry === undefined) throw new KitError(`Its entry ${folder}${name} is missing.`);
    return readEntry(zip, entry);
  };
  if (entries.has(`${folder}byteorder`)) requireLittleEndian((await read('byteorder')).toString() === 'little');

  const views = findTensors(readPickle(ByteStream.of(await read('data.pkl')), torchRules(new Map())));
  const storages = storagesOf(views);
  const total = storages.reduce((sum, storage) => sum + storage.byteLength, 0);
  if (!(total <= zip.fileSize)) throw new KitError(`Its storages claim ${total} bytes, and it has ${zip.fileSize}.`);
  let done = 0;
  for (const storage of storages) {
    const bytes = await read(`data/${storage.key}`);
    requireLength(storage, bytes.length, storage.byteLength, 'bytes');
    storage.fill(bytes.buffer);
    report((done += bytes.length), total);
  }
  return materialise(views);
}

function entriesOf(zip: yauzl.ZipFile): Promise<Map<string, yauzl.Entry>> {
  return new Promise((resolve, reject) => {
    const entries = new Map<string, yauzl.Entry>();
    zip.on('error', reject);
    zip.on('end', () => resolve(entries));
    zip.on('entry', (entry: yauzl.Entry) => {
      entries.set(entry.fileName, entry);
      zip.readEntry();
    });
    zip.readEntry();
  });
}

/** The bytes of an entry, in memory of their own, checked against its checksum. */
async function readEntry(zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<Buffer> {
  const { fileName, compressionMethod, uncompressedSize: size } = entry;
  // Stored entries are no larger than the file, so that no small file can ask for much memory.
  if (compressionMethod !== 0 || size > zip.fileSize) {
    throw new KitError(
      `Its entry ${fileName} is compressed or claims more bytes than the file has; PyTorch stores entries as they are.`,
      { fix: byTorchSave },
    );
  }
  const stream = await (promisify(zip.openReadStream.bind(zip)) as (entry: yauzl.Entry) => Promise<Readable>)(entry);
  const bytes = Buffer.from(new ArrayBuffer(size));
  let at = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) at += chunk.copy(bytes, at);
  if (zlib.crc32(bytes) !== entry.crc32)
    throw new KitError(`Its entry ${fileName} does not have the checksum that the archive gives: the file is damaged.`);
  return bytes;
}

/**
 * The legacy stream: five pickles (magic, protocol, machine, object, keys), then each storage as a count and its
 * elements.
 */
async function readLegacy(file: fs.promises.FileHandle, report: Report): Promise<StateDict> {
  const { size } = await file.stat();
  const source = new ByteStream(size, (at, count) => {
    const chunk = Buffer.alloc(count);
    return chunk.subarray(0, fs.readSync(file.fd, chunk, 0, count, at));
  });
  if (source.take(1)[0] !== 0x80)
    throw new KitError('It starts neither as a zip archive nor as a pickle.', { fix: byTorchSave });
  source.position = 0;

  const storages = new Map<string, Storage>();
  const rules = torchRules(storages);
  const [magic, protocol] = [readPickle(source, rules), readPickle(source, rules)];
  if (magic !== legacyMagic || protocol !== legacyProtocol)
    throw new KitError('It is a pickle, but not one of a PyTorch file.', { fix: byTorchSave });
  const machine = readPickle(source, rules);
  requireLittleEndian(!(machine instanceof Map) || machine.get('little_endian') !== false);
  const views = findTensors(readPickle(source, rules));
  const keys = readPickle(source, rules);
  if (!Array.isArray(keys)) throw new KitError('Its list of storages is missing.');

  const needed = new Set(storagesOf(views));
  for (const key of keys) {
    const storage = storages.get(storageKey(key));
    if (storage === undefined) throw new KitError(`It lists a storage ${storageKey(key)} that no tensor uses.`);
    requireLength(storage, Number(source.take(8).readBigInt64LE()), storage.length, 'elements');
    source.require(storage.byteLength);
    if (needed.delete(storage)) {
      const bytes = new Uint8Array(storage.byteLength);
      await readFully(file, bytes, source.position);
      storage.fill(bytes.buffer);
    }
    source.position += storage.byteLength;
    report(source.position, size);
  }
  if (needed.size > 0)
    throw new KitError(`The data of its storages ${[...needed].map((storage) => storage.key).join(', ')} are missing.`);
  return materialise(views);
}

function requireLength({ key }: Storage, found: number, expected: number, unit: string): void {
  if (found !== expected) throw new KitError(`Its storage ${key} holds ${found} ${unit}, ${expected} were expected.`);
}

function requireLittleEndian(is: boolean): void {
  if (!is) throw new KitError('Its numbers are stored big-endian.', { fix: 'Save it on a little-endian machine.' });
}
