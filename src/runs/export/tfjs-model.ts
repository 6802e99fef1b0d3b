// A frozen graph as a TensorFlow.js graph model: `model.json` and one file of weights (tensorflow/tfjs, tfjs-converter,
// GraphModel).
import fs from 'node:fs';
import path from 'node:path';
import { DataType } from '../../engine/binding';
import type { FrozenGraph } from '../../engine/graph/freeze';
import type { AttributeValue, GraphNode, SignatureTensor } from '../../engine/graph/saved-model';
import { kitVersion } from '../../base/home';

const NAMES: Record<number, [proto: string, tfjs: string]> = {
  [DataType.float32]: ['DT_FLOAT', 'float32'],
  [DataType.int32]: ['DT_INT32', 'int32'],
  [DataType.bool]: ['DT_BOOL', 'bool'],
};

const WEIGHTS = 'group1-shard1of1.bin';

/** Writes the model into `folder`, which is made. @param card kept in `userDefinedMetadata`. */
export async function writeTfjsModel(
  { nodes: recorded, signature }: FrozenGraph,
  folder: string,
  card?: object,
): Promise<void> {
  const nodes = recorded.flatMap(withPaddingApart);
  const constants = nodes.flatMap(({ name, attributes: { value } }) =>
    value !== undefined && 'tensor' in value ? [{ name, ...value.tensor }] : [],
  );
  const tensors = (named: Record<string, SignatureTensor>) =>
    Object.fromEntries(
      Object.entries(named).map(([name, { node, dtype, shape }]) => [
        name,
        { name: `${node}:0`, dtype: NAMES[dtype][0], tensorShape: shapeJson(shape) },
      ]),
    );
  const model = {
    format: 'graph-model',
    generatedBy: `rifle-kit ${kitVersion()}`,
    convertedBy: null,
    ...(card === undefined ? {} : { userDefinedMetadata: card }),
    signature: { inputs: tensors(signature.inputs), outputs: tensors(signature.outputs) },
    modelTopology: { node: nodes.map(nodeJson), versions: {} },
    weightsManifest: [
      {
        paths: [WEIGHTS],
        weights: constants.map(({ name, shape, dtype }) => ({ name, shape, dtype: NAMES[dtype][1] })),
      },
    ],
  };
  await fs.promises.mkdir(folder, { recursive: true });
  await fs.promises.writeFile(path.join(folder, WEIGHTS), Buffer.concat(constants.map(({ bytes }) => bytes)));
  await fs.promises.writeFile(path.join(folder, 'model.json'), JSON.stringify(model));
}

/**
 * Not every backend of TensorFlow.js pads a window as told: what an op pads explicitly is padded by an op of its own
 * before it.
 */
function withPaddingApart(node: GraphNode): GraphNode[] {
  const { name, op, inputs, attributes } = node;
  const { explicit_paddings: sides, ...others } = attributes;
  if (sides === undefined || !('ints' in sides)) return [node];
  const constant = (name: string, dtype: number, shape: number[], data: Int32Array | Float32Array): GraphNode => ({
    name,
    op: 'Const',
    inputs: [],
    attributes: { dtype: { type: dtype }, value: { tensor: { dtype, shape, bytes: new Uint8Array(data.buffer) } } },
  });
  const { float32, int32 } = DataType;
  const [paddings, value, padded] = ['paddings', 'padding', 'padded'].map((part) => `${name}/${part}`);
  return [
    constant(paddings, int32, [4, 2], Int32Array.from(sides.ints)),
    constant(value, float32, [], Float32Array.of(op === 'MaxPool' ? -3.4e38 : 0)), // below whatever may be in a window
    {
      name: padded,
      op: 'PadV2',
      inputs: [inputs[0], paddings, value],
      attributes: { T: { type: float32 }, Tpaddings: { type: int32 } },
    },
    { name, op, inputs: [padded, ...inputs.slice(1)], attributes: { ...others, padding: { string: 'VALID' } } },
  ];
}

const shapeJson = (shape: readonly number[]) => ({ dim: shape.map((size) => ({ size: String(size) })) });

const nodeJson = ({ name, op, inputs, attributes }: GraphNode) => ({
  name,
  op,
  input: inputs,
  attr: Object.fromEntries(
    Object.entries(attributes).flatMap(([key, value]) =>
      op === 'Const' && key === 'value' ? [] : [[key, attributeJson(value)]],
    ),
  ),
});

/** An attribute in the JSON form of protocol buffers: integers are texts, bytes are base64. */
function attributeJson(value: AttributeValue): object {
  if ('string' in value) return { s: Buffer.from(value.string).toString('base64') };
  if ('int' in value) return { i: String(value.int) };
  if ('float' in value) return { f: value.float };
  if ('bool' in value) return { b: value.bool };
  if ('type' in value) return { type: NAMES[value.type][0] };
  if ('shape' in value) return { shape: shapeJson(value.shape) };
  if ('ints' in value) return { list: { i: value.ints.map(String) } };
  return {};
}
