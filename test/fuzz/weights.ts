// The readers of weights files: PyTorch's, safetensors, frozen graphs, TensorFlow.js layers models, Keras's HDF5.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { ByteStream } from '../../src/backbones/weights/readers/byte-stream';
import { readGraphDef } from '../../src/backbones/weights/readers/tensorflow/graphdef';
import { BrokenThread, H5Thread } from '../../src/backbones/weights/readers/tensorflow/keras-h5';
import { readPickle } from '../../src/backbones/weights/readers/torch/pickle';
import { readPth } from '../../src/backbones/weights/readers/torch/pth';
import { readSafetensors } from '../../src/backbones/weights/readers/safetensors';
import { sizeOf, type StateDict } from '../../src/backbones/weights/readers/state-dict';
import { readTfjsLayers } from '../../src/backbones/weights/readers/tensorflow/tfjs-layers';
import { torchRules } from '../../src/backbones/weights/readers/torch/torch-rules';
import { MemoryBudget } from '../../src/backbones/weights/readers/memory-budget';
import { fixture } from '../backbones/golden-resnet';
import { fileTarget, outcome, refusal, scratch, type FuzzTarget, type FuzzTargets } from './target';

const seeds = (...names: string[]): Buffer[] => names.map((name) => fs.readFileSync(fixture(...name.split('/'))));

/**
 * What came out of a reader that did not refuse: every tensor has the elements that its shape asks for, and no more
 * memory than `most` bytes.
 */
function check(tensors: StateDict, most: number): void {
  const memory = new Set<ArrayBufferLike>();
  for (const [name, { shape, data }] of tensors) {
    assert.ok(
      shape.every((side) => Number.isSafeInteger(side) && side >= 0),
      `the shape of ${name}`,
    );
    assert.equal(data.length, sizeOf(shape), `the elements of ${name}`);
    memory.add(data.buffer);
  }
  const bytes = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
  assert.ok(bytes <= most, `${bytes} bytes of memory for ${most}`);
}

/** A reader of one file. A pickle that was executed would have made the file `rifle-kit-was-here`. */
function weightsTarget(
  name: string,
  read: (file: string) => Promise<StateDict>,
  from: Buffer[],
  repair?: (bytes: Buffer) => Buffer,
): FuzzTarget {
  return fileTarget({
    name,
    seeds: from,
    repair,
    async read(file, bytes) {
      const tensors = await outcome(() => read(file));
      if (tensors !== undefined) check(tensors, 2 * bytes.length);
      assert.equal(fs.existsSync('rifle-kit-was-here'), false);
    },
  });
}

/** Makes the checksum of every stored entry of a zip archive right, in its own header and in the directory. */
function repairZip(bytes: Buffer): Buffer {
  const sums = new Map<number, number>();
  for (
    let at = bytes.indexOf('PK\x03\x04');
    at >= 0 && at + 30 <= bytes.length;
    at = bytes.indexOf('PK\x03\x04', at + 4)
  ) {
    const start = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
    const sum = crc32(bytes.subarray(start, start + bytes.readUInt32LE(at + 18)));
    bytes.writeUInt32LE(sum, at + 14);
    sums.set(at, sum);
  }
  for (
    let at = bytes.indexOf('PK\x01\x02');
    at >= 0 && at + 46 <= bytes.length;
    at = bytes.indexOf('PK\x01\x02', at + 4)
  ) {
    const sum = sums.get(bytes.readUInt32LE(at + 42));
    if (sum === undefined) continue;
    bytes.writeUInt32LE(sum, at + 16);
    // torch.save leaves the header's own sum to a descriptor behind the data; the directory's is what counts.
  }
  return bytes;
}

/** The first 8 bytes of a safetensors file say again how long its header is. */
function repairLength(bytes: Buffer): Buffer {
  const end = bytes.lastIndexOf('}}');
  if (end >= 8) bytes.writeBigUInt64LE(BigInt(end + 2 - 8), 0);
  return bytes;
}

/** The bare machine of pickles, without a file around them: the pickles of PyTorch files, and one of each opcode. */
function pickleTarget(): FuzzTarget {
  const everyOpcode =
    'gASVZQAAAAAAAAB9lCiMAWGUXZQoSwFK/v///00sAUpwEQEAigYAAAAAAAGKCQAAAAAAAAAAwGWMAWKUKEc/+AAAAAAAAE6IiXSUjAFjlIwBeJSFlIwBZJRDAgD/lIwBZZSPlChLA5CMAsOplCl1Lg==';
  const inZip = seeds('pth/zip.pth')[0];
  const start = inZip.indexOf('\x80\x02ccollections');
  return {
    name: 'pickle',
    seeds: [
      Buffer.from(everyOpcode, 'base64'),
      inZip.subarray(start, inZip.indexOf('PK', start)),
      ...seeds('pth/system-legacy.pth', 'pth/legacy.pth'),
    ],
    run(bytes) {
      try {
        readPickle(ByteStream.of(bytes), torchRules(new Map(), new MemoryBudget(bytes.length)));
      } catch (error) {
        // An allowed name that is called with what it cannot take: readPth, which calls it, wraps that.
        if (!(error instanceof TypeError)) refusal(error);
      }
    },
  };
}

/** The shard of an input is what follows its first zero byte; before it lies model.json. */
function tfjsTarget(): FuzzTarget {
  const folder = scratch();
  const file = path.join(folder, 'model.json');
  const model = (weights: unknown, shards: string[]) =>
    Buffer.from(JSON.stringify({ modelTopology: {}, weightsManifest: [{ paths: shards, weights }] }));
  const two = [
    { name: 'conv/kernel', shape: [2, 2, 3], dtype: 'float32' },
    { name: 'conv/bias', shape: [4], dtype: 'int32' },
  ];
  return {
    name: 'tfjs-layers',
    seeds: [model(two, ['shard']), model([two[0], { name: 'flag', shape: [], dtype: 'bool' }], ['shard'])].map(
      (json, i) => Buffer.concat([json, Buffer.alloc(1 + (i === 0 ? 64 : 49), 7).fill(0, 0, 1)]),
    ),
    async run(bytes) {
      const cut = bytes.indexOf(0);
      fs.writeFileSync(file, cut < 0 ? bytes : bytes.subarray(0, cut));
      fs.writeFileSync(path.join(folder, 'shard'), cut < 0 ? '' : bytes.subarray(cut + 1));
      const tensors = await readTfjsLayers(file).catch(refusal);
      if (tensors !== undefined) check(tensors, bytes.length);
    },
    close: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}

/**
 * A thread for many files, where the reader itself starts one for each: that would be most of the time. A broken one is
 * replaced.
 */
function h5Target(): FuzzTarget {
  const folder = scratch();
  const file = path.join(folder, 'weights.h5');
  let thread: H5Thread | undefined;
  let [used, isBroken] = [0, false];
  const renew = async () => {
    await thread?.end();
    [thread, used, isBroken] = [new H5Thread(20), 0, false];
    await thread.read(fixture('keras-h5', 'weights.h5'), () => undefined); // loads the library
  };
  return {
    name: 'keras-h5',
    seeds: seeds(
      ...['weights', 'model', 'compressed', 'big-endian', 'external-storage', 'circle', 'repeated'].map(
        (name) => `keras-h5/${name}.h5`,
      ),
    ),
    async prepare() {
      if (thread === undefined || isBroken || used++ > 500) await renew(); // the library keeps some of the memory of a damaged file
    },
    async run(bytes) {
      if (isBroken) await renew(); // the answers of a file that broke it may still arrive
      fs.writeFileSync(file, bytes);
      const tensors: StateDict = new Map();
      try {
        await thread!.read(file, ({ name, shape, dtype, data }) => tensors.set(name, { shape, dtype, data }));
        check(tensors, bytes.length);
      } catch (error) {
        refusal(error);
        isBroken ||= error instanceof BrokenThread;
      }
    },
    close() {
      void thread?.end();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The constants of a small graph: bytes, a list, one value for all. (The wire format of graph.proto.) */
function graphSeeds(): Buffer[] {
  const base128 = (n: number): Buffer =>
    n < 128 ? Buffer.from([n]) : Buffer.concat([Buffer.from([(n & 127) | 128]), base128(n >> 7)]);
  const bytes = (field: number, content: Buffer | string): Buffer =>
    Buffer.concat([base128(field * 8 + 2), base128(content.length), Buffer.from(content)]);
  const varint = (field: number, n: number): Buffer => Buffer.concat([base128(field * 8), base128(n)]);
  const shape = (...sides: number[]): Buffer => bytes(2, Buffer.concat(sides.map((side) => bytes(2, varint(1, side)))));
  const node = (name: string, dtype: number, ...tensor: Buffer[]): Buffer => {
    const value = Buffer.concat([bytes(1, 'value'), bytes(2, bytes(8, Buffer.concat([varint(1, dtype), ...tensor])))]);
    return bytes(
      1,
      Buffer.concat([
        bytes(1, name),
        bytes(2, 'Const'),
        bytes(5, Buffer.concat([bytes(1, 'dtype'), bytes(2, varint(6, dtype))])),
        bytes(5, value),
      ]),
    );
  };
  const float = Buffer.from(new Uint8Array(Float32Array.of(1, -2, 0.5, 8, 9, 10).buffer));
  const nodes = [
    node('conv/weights', 1, shape(2, 3), bytes(4, float)),
    node('conv/biases', 1, shape(6), bytes(5, float)),
    node('same', 3, shape(4), bytes(7, Buffer.concat([base128(1), base128(300)]))),
    node('long', 9, shape(1), varint(10, 70_000)),
    node('flag', 10, shape(), varint(11, 1)),
  ];
  return [Buffer.concat(nodes), ...nodes];
}

/** The targets by name, each made when it is asked for. */
export const targets: FuzzTargets = {
  pickle: pickleTarget,
  'pth-zip': () =>
    weightsTarget(
      'pth-zip',
      readPth,
      seeds('pth/zip.pth', 'pth/checkpoint.pth', 'pth/model.pth', 'pth/system.pth'),
      repairZip,
    ),
  'pth-legacy': () => weightsTarget('pth-legacy', readPth, seeds('pth/legacy.pth', 'pth/system-legacy.pth')),
  safetensors: () =>
    weightsTarget(
      'safetensors',
      readSafetensors,
      seeds('safetensors/every.safetensors', 'safetensors/float8.safetensors'),
      repairLength,
    ),
  graphdef: () => weightsTarget('graphdef', readGraphDef, graphSeeds()),
  'tfjs-layers': tfjsTarget,
  'keras-h5': h5Target,
};
