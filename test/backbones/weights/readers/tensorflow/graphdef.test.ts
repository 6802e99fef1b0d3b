import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readGraphDef } from '../../../../../src/backbones/weights/readers/tensorflow/graphdef';
import { readWeights } from '../../../../../src/backbones/weights/read';
import { refused } from '../../../refused';

/** Google's own writer of protocol buffers, which tfjs-node carries without types. */
const proto = require('@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js') as Record<string, new () => ProtoMessage>;
interface ProtoMessage {
  serializeBinary(): Uint8Array;
  [method: string]: (...args: unknown[]) => unknown;
}

/** A message of the class `kind` with `values` set: `{Dtype: 1}` calls `setDtype(1)`. */
function message(kind: string, values: Record<string, unknown>): ProtoMessage {
  const made = new proto[kind]();
  for (const [name, value] of Object.entries(values)) made[`set${name}`](value);
  return made;
}

const shape = (sides: number[]): ProtoMessage =>
  message('TensorShape', {
    DimList: sides.map((side) => {
      const dim = new (proto.TensorShape as unknown as { Dim: new () => ProtoMessage }).Dim();
      dim.setSize(side);
      return dim;
    }),
  });

const tensor = (Dtype: number, sides: number[], values: Record<string, unknown>): ProtoMessage =>
  message('Tensor', { Dtype, TensorShape: shape(sides), ...values });

function node(Name: string, value: ProtoMessage, Op = 'Const'): ProtoMessage {
  const made = message('NodeDef', { Name, Op });
  (made.getAttrMap() as Map<string, ProtoMessage>).set('dtype', message('AttrValue', { Type: 1 }));
  (made.getAttrMap() as Map<string, ProtoMessage>).set('value', message('AttrValue', { Tensor: value }));
  return made;
}

const graph = (...nodes: ProtoMessage[]): Buffer =>
  Buffer.from(message('GraphDef', { NodeList: nodes }).serializeBinary());

const [FLOAT, DOUBLE, INT32, STRING, INT64, BOOL] = [1, 2, 3, 7, 9, 10];

describe('readGraphDef', function () {
  this.timeout(300_000);
  let folder: string;
  before(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-graphdef-'))));
  after(() => fs.rmSync(folder, { recursive: true }));

  const write = (bytes: Uint8Array, name = 'graph.pb'): string => {
    fs.writeFileSync(path.join(folder, name), bytes);
    return path.join(folder, name);
  };

  const content = new Uint8Array(Float32Array.of(1, -2, 0.5, 8, 9, 10).buffer);

  it('reads constants as bytes, as lists, as one value for all, and leaves out what is no number or no constant', async () => {
    const found = await readWeights(
      write(
        graph(
          node('bytes', tensor(FLOAT, [2, 3], { TensorContent: content })),
          node('list', tensor(DOUBLE, [3], { DoubleValList: [0.1, 2, -3] })),
          node('same', tensor(FLOAT, [4], { FloatValList: [1.5, 2.5] })),
          node('zeros', tensor(FLOAT, [2], {})),
          node('long', tensor(INT64, [2], { Int64ValList: [-1, 2 ** 40] })),
          node('single', tensor(INT32, [], { IntValList: [-7] })),
          node('flags', tensor(BOOL, [2], { BoolValList: [true, false] })),
          node('text', tensor(STRING, [1], { StringValList: [Buffer.from('no')] })),
          node('variable', tensor(FLOAT, [1], { FloatValList: [3] }), 'VariableV2'),
        ),
      ),
    );
    const seen = Object.fromEntries(
      [...found].map(([name, { shape: sides, dtype, data }]) => [
        name,
        [sides, dtype, Array.from(data as ArrayLike<number | bigint>)],
      ]),
    );
    assert.deepEqual(seen, {
      bytes: [[2, 3], 'float32', [1, -2, 0.5, 8, 9, 10]],
      list: [[3], 'float64', [0.1, 2, -3]],
      same: [[4], 'float32', [1.5, 2.5, 2.5, 2.5]], // tensor.proto: the last one goes on
      zeros: [[2], 'float32', [0, 0]],
      long: [[2], 'int64', [-1n, 2n ** 40n]],
      single: [[], 'int32', [-7]],
      flags: [[2], 'bool', [1, 0]],
    });
  });

  it('refuses a constant that has not the elements that its shape asks for', async () => {
    const refusal = (value: ProtoMessage, code: string) => refused(readGraphDef(write(graph(node('w', value)))), code);
    await refusal(tensor(FLOAT, [2, 2], { TensorContent: content }), 'GRAPHDEF_CONSTANT');
    await refusal(tensor(FLOAT, [2], { FloatValList: [1, 2, 3] }), 'GRAPHDEF_CONSTANT');
    await refusal(tensor(FLOAT, [-1], { FloatValList: [1] }), 'PROTOBUF_MALFORMED');
    await refusal(tensor(FLOAT, [...Array<number>(30).fill(2 ** 40), 0], {}), 'PROTOBUF_MALFORMED');
    await refusal(tensor(FLOAT, Array<number>(300).fill(1), { FloatValList: [1] }), 'PROTOBUF_MALFORMED');
  });

  it('takes time and memory in proportion to elements that are listed one by one', async () => {
    const listed = Buffer.concat(Array<Buffer>(1_000_000).fill(Buffer.from([0x38, 0x01]))); // int_val: 1, unpacked
    const bytes = (field: number, content: Buffer): Buffer => {
      const head: number[] = [field * 8 + 2];
      let length = content.length;
      for (; length > 127; length >>= 7) head.push((length & 127) | 128);
      return Buffer.concat([Buffer.from([...head, length]), content]);
    };
    const side = bytes(2, bytes(2, Buffer.from([0x08, 0xc0, 0x84, 0x3d]))); // a shape of one side, 1,000,000
    const value = bytes(8, Buffer.concat([Buffer.from([0x08, 3]), side, listed]));
    const attribute = bytes(5, Buffer.concat([bytes(1, Buffer.from('value')), bytes(2, value)]));
    const constant = Buffer.concat([bytes(1, Buffer.from('w')), bytes(2, Buffer.from('Const')), attribute]);
    const file = path.join(folder, 'listed.pb');
    // One value fills a million: the file has half the bytes of the constant, so it needs a second list.
    const node2 = Buffer.concat([bytes(1, Buffer.from('text')), bytes(2, Buffer.from('NoOp')), bytes(9, listed)]);
    fs.writeFileSync(file, Buffer.concat([bytes(1, constant), bytes(1, node2)]));
    const before = process.memoryUsage().rss;
    const start = performance.now();
    const { data } = (await readGraphDef(file)).get('w')!;
    assert.ok(performance.now() - start < 5000);
    assert.ok(process.memoryUsage().rss - before < 20 * fs.statSync(file).size + 64e6);
    assert.deepEqual([data.length, data.at(0), data.at(-1)], [1_000_000, 1, 1]);
  });

  it('gives no small file much memory: one value for a million million', async () => {
    await refused(
      readGraphDef(write(graph(node('w', tensor(FLOAT, [1e6, 1e6], { FloatValList: [1] }))))),
      'GRAPHDEF_CONSTANT',
    );
    const many = Array.from({ length: 40 }, (_, i) => node(`w${i}`, tensor(FLOAT, [200], { FloatValList: [1] })));
    await refused(readGraphDef(write(graph(...many))), 'GRAPHDEF_CONSTANT');
  });

  it('refuses a name twice, a graph without constants, and what is no graph', async () => {
    const one = () => node('w', tensor(FLOAT, [1], { FloatValList: [1] }));
    await refused(readGraphDef(write(graph(one(), one()))), 'GRAPHDEF_CONSTANT');
    await refused(readGraphDef(write(graph())), 'GRAPHDEF_NO_CONSTANTS');
    await refused(readGraphDef(write(Buffer.from('<!doctype html><p>404'))), 'PROTOBUF_MALFORMED');
    await refused(
      readGraphDef(write(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]))),
      'PROTOBUF_MALFORMED',
    );
    await refused(readGraphDef(write(Buffer.alloc(20, 0xff))), 'PROTOBUF_MALFORMED');
    await refused(readGraphDef(path.join(folder, 'nowhere.pb')), 'WEIGHTS_UNREADABLE');
  });

  it('refuses or reads, but never fails otherwise, a file that is cut or damaged anywhere', async () => {
    const whole = graph(
      node('bytes', tensor(FLOAT, [2, 3], { TensorContent: content })),
      node('same', tensor(INT32, [4], { IntValList: [1, 300] })),
    );
    for (let at = 0; at < whole.length; at++) {
      await readGraphDef(write(whole.subarray(0, at))).catch(() =>
        refused(readGraphDef(path.join(folder, 'graph.pb')), [
          'GRAPHDEF_NO_CONSTANTS',
          'WEIGHTS_TRUNCATED',
          'PROTOBUF_MALFORMED',
        ]),
      );
      const damaged = Buffer.from(whole);
      damaged[at] ^= 0x55;
      await readGraphDef(write(damaged)).catch(() =>
        refused(readGraphDef(path.join(folder, 'graph.pb')), ['PROTOBUF_MALFORMED', 'GRAPHDEF_CONSTANT']),
      );
    }
  });
});
