// Reads a PyTorch file (`.pth`): the zip of torch 1.6 and later, and the legacy stream before it. Nothing in the
// file is executed.
import fs from 'node:fs';
import zlib from 'node:zlib';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type yauzl from 'yauzl';
import { readFully } from '../../../../base/files/read-fully';
import { withZip } from '../../../../data/fetch/zip';
import { KitError } from '../../../../base/errors';
import { quoted, quotedList } from '../../../../base/visible';
import { ByteStream } from '../byte-stream';
import { MemoryBudget } from '../memory-budget';
import { usualTensors } from '../named-tensors';
import { unreadable, withFileName, type ReadOptions } from '../reading';
import type { StateDict } from '../state-dict';
import { tensorDicts } from './checkpoint';
import { readPickle } from './pickle';
import type { PickleValue } from './pickle-machine';
import { storageKey, torchRules } from './torch-rules';
import { materialise, storagesOf, type Storage, type TensorViews } from './torch-tensors';

/** The start of a legacy file (torch/serialization.py): a pickled integer, then the number of its protocol. */
const legacyMagic = 0x1950a86a20f9469cfc6cn;
const legacyProtocol = 1001;

const byTorchSave = 'Give a file made by `torch.save`.';

/** Most entries of an archive: one for each storage, and a few more. */
const mostEntries = 2 ** 16;

/**
 * The named tensors of a PyTorch file: a state dict, or one of those in a checkpoint. Names are those of the file.
 * Needs about as much memory as the tensors themselves.
 * @param options.choose default `usualTensors`.
 * @throws KitError when the file is truncated, is not a PyTorch file, or contains more than tensors and plain data.
 */
export async function readPth(path: string, options: ReadOptions = {}): Promise<StateDict> {
  return withFileName(path, 'a PyTorch file', async () => {
    const file = await fs.promises.open(path);
    try {
      const start = Buffer.alloc(4);
      await file.read(start, 0, 4, 0);
      if (start.toString('latin1') !== 'PK\x03\x04') return await readLegacy(file, options);
    } finally {
      await file.close();
    }
    return withZip(path, (zip) => readZip(zip, options));
  });
}

/** The tensors of the chosen set in the object of a file. */
function chosenViews(
  object: PickleValue,
  { choose = usualTensors, onUnreadable = unreadable }: ReadOptions,
): TensorViews {
  const chosen = choose(tensorDicts(object));
  for (const [name, type] of chosen.unreadable) onUnreadable(name, type);
  return chosen.views;
}

/** The zip: a pickle `<name>/data.pkl`, and an entry `<name>/data/<key>` for each storage. */
async function readZip(zip: yauzl.ZipFile, options: ReadOptions): Promise<StateDict> {
  if (zip.entryCount > mostEntries)
    throw new KitError(`It has ${zip.entryCount} entries, more than ${mostEntries}.`, { code: 'PTH_ENTRIES' });
  const entries = await entriesOf(zip);
  const pickle = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickle === undefined)
    throw new KitError('It is a zip archive without a data.pkl.', { code: 'PTH_NO_PICKLE', fix: byTorchSave });
  const folder = pickle.slice(0, -'data.pkl'.length);
  if (entries.has(`${folder}constants.pkl`))
    throw new KitError('It is a TorchScript program, which the kit does not run.', {
      code: 'PTH_TORCHSCRIPT',
      fix: 'Save its weights alone: torch.save(torch.jit.load(FILE).state_dict(), "weights.pth").',
    });
  const read = async (name: string): Promise<Buffer> => {
    const entry = entries.get(folder + name);
    if (entry === undefined)
      throw new KitError(`Its entry ${quoted(folder + name)} is missing.`, { code: 'PTH_ENTRY_MISSING' });
    return readEntry(zip, entry);
  };
  if (entries.has(`${folder}byteorder`)) requireLittleEndian((await read('byteorder')).toString() === 'little');

  const pickled = await read('data.pkl');
  const rules = torchRules(new Map(), new MemoryBudget(pickled.length));
  const views = chosenViews(readPickle(ByteStream.of(pickled), rules), options);
  const storages = storagesOf(views);
  const total = storages.reduce((sum, storage) => sum + storage.byteLength, 0);
  if (!(total <= zip.fileSize))
    throw new KitError(`Its storages have ${total} bytes, but the file has ${zip.fileSize}.`, {
      code: 'PTH_TRUNCATED',
    });
  let done = 0;
  for (const storage of storages) {
    const bytes = await read(`data/${storage.key}`);
    requireLength(storage, bytes.length, storage.byteLength, 'bytes');
    storage.fill(bytes.buffer);
    options.onProgress?.({ task: 'read weights', done: (done += bytes.length), total, unit: 'bytes' });
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

/** A copy of the bytes of an entry, verified by its checksum. */
async function readEntry(zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<Buffer> {
  const { fileName, compressionMethod, uncompressedSize: size } = entry;
  // Stored entries are no larger than the file, so a small file cannot need much memory.
  if (compressionMethod !== 0 || size > zip.fileSize) {
    throw new KitError(
      `Its entry ${quoted(fileName)} is compressed or larger than the file; PyTorch stores entries as they are.`,
      { code: 'PTH_ENTRY_COMPRESSED', fix: byTorchSave },
    );
  }
  const stream = await (promisify(zip.openReadStream.bind(zip)) as (entry: yauzl.Entry) => Promise<Readable>)(entry);
  const bytes = Buffer.from(new ArrayBuffer(size));
  let at = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) at += chunk.copy(bytes, at);
  if (zlib.crc32(bytes) !== entry.crc32)
    throw new KitError(
      `Its entry ${quoted(fileName)} does not have the checksum that the archive gives: it is damaged.`,
      {
        code: 'PTH_CHECKSUM',
      },
    );
  return bytes;
}

/**
 * The legacy stream: five pickles (magic, protocol, machine, object, keys), then each storage as a count and its
 * elements.
 */
async function readLegacy(file: fs.promises.FileHandle, options: ReadOptions): Promise<StateDict> {
  const { size } = await file.stat();
  const source = new ByteStream(size, (at, count) => {
    const chunk = Buffer.alloc(count);
    return chunk.subarray(0, fs.readSync(file.fd, chunk, 0, count, at));
  });
  if (source.take(1)[0] !== 0x80)
    throw new KitError('It begins neither like a zip archive nor like a pickle.', {
      code: 'PTH_FORMAT',
      fix: byTorchSave,
    });
  source.position = 0;

  const storages = new Map<string, Storage>();
  const rules = torchRules(storages, new MemoryBudget(size));
  const [magic, protocol] = [readPickle(source, rules), readPickle(source, rules)];
  if (magic !== legacyMagic || protocol !== legacyProtocol)
    throw new KitError('It is a pickle, but not one of a PyTorch file.', { code: 'PTH_FORMAT', fix: byTorchSave });
  const machine = readPickle(source, rules);
  requireLittleEndian(!(machine instanceof Map) || machine.get('little_endian') !== false);
  const views = chosenViews(readPickle(source, rules), options);
  const keys = readPickle(source, rules);
  if (!Array.isArray(keys)) throw new KitError('Its list of storages is missing.', { code: 'PTH_STORAGE' });

  const needed = new Set(storagesOf(views));
  for (const key of keys) {
    const storage = storages.get(storageKey(key));
    if (storage === undefined)
      throw new KitError(`It lists a storage ${quoted(storageKey(key))} that no tensor uses.`, { code: 'PTH_STORAGE' });
    requireLength(storage, Number(source.take(8).readBigInt64LE()), storage.length, 'elements');
    source.require(storage.byteLength);
    if (needed.delete(storage)) {
      const bytes = new Uint8Array(storage.byteLength);
      await readFully(file, bytes, source.position);
      storage.fill(bytes.buffer);
    }
    source.position += storage.byteLength;
    options.onProgress?.({ task: 'read weights', done: source.position, total: size, unit: 'bytes' });
  }
  if (needed.size > 0)
    throw new KitError(`The data of its storages ${quotedList([...needed].map(({ key }) => key))} are missing.`, {
      code: 'PTH_STORAGE',
    });
  return materialise(views);
}

function requireLength({ key }: Storage, found: number, expected: number, unit: string): void {
  if (found === expected) return;
  throw new KitError(`Its storage ${quoted(key)} has ${found} ${unit}; expected ${expected}.`, {
    code: 'PTH_STORAGE',
  });
}

function requireLittleEndian(is: boolean): void {
  if (is) return;
  throw new KitError('Its numbers are stored big-endian.', {
    code: 'PTH_BIG_ENDIAN',
    fix: 'Save it on a little-endian machine.',
  });
}
