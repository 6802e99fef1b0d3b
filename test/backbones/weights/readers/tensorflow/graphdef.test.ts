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
    const refusal = (value: ProtoMessage, message: RegExp) =>
      refused(readGraphDef(write(graph(node('w', value)))), message);
    await refusal(
      tensor(FLOAT, [2, 2], { TensorContent: content }),
      /"w" of shape \[2, 2\] and type float32 has 24 bytes, 16 were expected/,
    );
    await refusal(tensor(FLOAT, [2], { FloatValList: [1, 2, 3] }), /lists more elements than it has/);
    await refusal(tensor(FLOAT, [-1], { FloatValList: [1] }), /no shape of whole numbers/);
    await refusal(tensor(FLOAT, [...Array<number>(30).fill(2 ** 40), 0], {}), /constant "w" has no size/);
    await refusal(tensor(FLOAT, Array<number>(300).fill(1), { FloatValList: [1] }), /no shape/);
  });

  it('gives no small file much memory: one value for a million million', async () => {
    await refused(
      readGraphDef(write(graph(node('w', tensor(FLOAT, [1e6, 1e6], { FloatValList: [1] }))))),
      /larger than the file that lists/,
    );
    const many = Array.from({ length: 40 }, (_, i) => node(`w${i}`, tensor(FLOAT, [200], { FloatValList: [1] })));
    await refused(readGraphDef(write(graph(...many))), /larger than the file that lists/);
  });

  it('refuses a name twice, a graph without constants, and what is no graph', async () => {
    const one = () => node('w', tensor(FLOAT, [1], { FloatValList: [1] }));
    await refused(readGraphDef(write(graph(one(), one()))), /"w" .* is there twice/);
    await refused(readGraphDef(write(graph())), /holds no constants/, /Freeze/);
    await refused(readGraphDef(write(Buffer.from('<!doctype html><p>404'))), /no protocol buffer/);
    await refused(
      readGraphDef(write(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]))),
      /claims 18446744073709551615 bytes where 0 are left/,
    );
    await refused(readGraphDef(write(Buffer.alloc(20, 0xff))), /more than ten bytes/);
    await refused(readGraphDef(path.join(folder, 'nowhere.pb')), /no such file/);
  });

  it('refuses or reads, but never fails otherwise, a file that is cut or damaged anywhere', async () => {
    const whole = graph(
      node('bytes', tensor(FLOAT, [2, 3], { TensorContent: content })),
      node('same', tensor(INT32, [4], { IntValList: [1, 300] })),
    );
    for (let at = 0; at < whole.length; at++) {
      await readGraphDef(write(whole.subarray(0, at))).catch(() =>
        refused(readGraphDef(path.join(folder, 'graph.pb')), /graph\.pb cannot be read as a frozen/),
      );
      const damaged = Buffer.from(whole);
      damaged[at] ^= 0x55;
      await readGraphDef(write(damaged)).catch(() =>
        refused(readGraphDef(path.join(folder, 'graph.pb')), /graph\.pb cannot be read as a frozen/),
      );
    }
  });
});
