// `npm run bench -- placement`: where TensorFlow would run every op of a backbone's steps on a machine with a GPU, told
// without one.
import fs from 'node:fs';
import path from 'node:path';
import Table from 'cli-table3';
import { zeroBackbone } from '../src/backbones/backbone';
import { packageRoot } from '../src/base/home';
import { PRECISIONS, type Precision } from '../src/engine/passes/precision';
import type { GraphNode } from '../src/engine/graph/saved-model';
import type { Graph } from '../src/engine/graph/shapes';
import { methods } from '../src/transfer/methods';
import { parseRunSpec } from '../src/transfer/spec/spec';
import { makeSteps } from '../src/transfer/step';
import { graphOfSteps } from '../src/transfer/compiled-steps';

/** A device that kernels are registered for. */
export type KernelDevice = 'gpu' | 'cpu';

/**
 * The kernels of the GPU library by op and device, as `data-scripts/gpu/kernels.py` wrote them: `T=float32 Tidx=int32
 * @reduction_indices`.
 */
export interface Kernels {
  tensorflow: string;
  kernels: Record<string, Record<KernelDevice, string[]>>;
}

/** TensorFlow's numbers of data types (types.proto). */
const TYPE_NAMES: Readonly<Record<number, string>> = {
  1: 'float32',
  3: 'int32',
  4: 'uint8',
  10: 'bool',
  14: 'bfloat16',
  19: 'float16',
  20: 'resource',
};

/** What TensorFlow assumes of an attribute that a node leaves out: the index types of its ops are int32. */
const DEFAULT_TYPE = 'int32';

/**
 * Kinds of nodes that a GPU's kernel leaves to the CPU, in host memory, and why that does not matter. TensorFlow does
 * so with whole numbers, most of which are shapes.
 */
export const IN_HOST_MEMORY: Readonly<Record<string, string>> = {
  'Equal int32': 'which images are classified right: as many numbers as the batch has images, copied once a step',
  'Sum int32,int32': 'how many they are: one number, which the caller reads on the host anyway',
  'Identity int32': 'that number as it is fetched',
  'Add int32': "the seed of a trick's masks: two numbers",
  'Select int32': 'new labels: as many numbers as the batch has images',
};

/** The kernels of the pinned GPU library. */
export const readKernels = (): Kernels =>
  JSON.parse(fs.readFileSync(path.join(packageRoot(), 'bench', 'gpu-kernels.json'), 'utf8')) as Kernels;

/** What tells a node's kernel: its op and the types of its attributes. */
export function kindOf({ op, attributes }: GraphNode): { op: string; types: Record<string, string> } {
  const types = Object.entries(attributes).flatMap(([name, value]) =>
    'type' in value ? [[name, TYPE_NAMES[value.type] ?? String(value.type)] as const] : [],
  );
  return { op, types: Object.fromEntries(types) };
}

/** The kernel of a node on `device`: the arguments that it has in host memory; null when there is none. */
export function kernelOf(
  { kernels }: Kernels,
  { op, types }: ReturnType<typeof kindOf>,
  device: KernelDevice,
): string[] | null {
  for (const kernel of kernels[op]?.[device] ?? []) {
    const words = kernel.split(' ').filter((word) => word !== '');
    const wanted = words.filter((word) => !word.startsWith('@')).map((word) => word.split('='));
    if (wanted.every(([name, type]) => (types[name] ?? DEFAULT_TYPE) === type))
      return words.filter((word) => word.startsWith('@')).map((word) => word.slice(1));
  }
  return null;
}

/**
 * The graph of the training and evaluation steps of a method on a backbone, in each of `precisions`.
 */
export function graphsOf(
  id: string,
  {
    method = 'fine-tuning',
    precisions = ['float32'],
    imageSize = 32,
    batchSize = 2,
  }: { method?: string; precisions?: readonly Precision[]; imageSize?: number; batchSize?: number } = {},
): Graph[] {
  const backbone = zeroBackbone(id, 5);
  try {
    return precisions.map((precision) => {
      const steps = makeSteps(
        parseRunSpec(
          methods.apply(method, { dataset: 'none', backbone: id, weights: 'random', imageSize, batchSize, precision }),
        ),
        backbone,
      );
      try {
        return graphOfSteps(steps, imageSize, [batchSize], [batchSize]);
      } finally {
        steps.dispose();
      }
    });
  } finally {
    backbone.dispose();
  }
}

/** One kind of node of a graph, how many there are, and where it runs. */
export interface Placement {
  op: string;
  types: Record<string, string>;
  count: number;
  /**
   * `gpu`; `host`: a GPU kernel all of whose inputs lie in host memory, so that the CPU computes; `cpu`: there is no
   * GPU kernel; `none`: no kernel at all.
   */
  device: 'gpu' | 'host' | 'cpu' | 'none';
}

/** Where the nodes of `graph` run, each kind once, in the order of their names. */
export function placementsOf(graph: readonly GraphNode[], kernels: Kernels): Placement[] {
  const found = new Map<string, Placement>();
  for (const node of graph) {
    const kind = kindOf(node);
    const key = JSON.stringify(kind);
    const known = found.get(key);
    if (known !== undefined) known.count++;
    else found.set(key, { ...kind, count: 1, device: deviceOf(node, kind, kernels) });
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, placement]) => placement);
}

function deviceOf(node: GraphNode, kind: ReturnType<typeof kindOf>, kernels: Kernels): Placement['device'] {
  const host = kernelOf(kernels, kind, 'gpu');
  if (host === null) return kernelOf(kernels, kind, 'cpu') === null ? 'none' : 'cpu';
  const inputs = node.inputs.filter((input) => !input.startsWith('^')).length;
  return inputs > 0 && host.length > inputs ? 'host' : 'gpu'; // its outputs too
}

/** One backbone of each family, and the smallest images that it takes. */
export const FAMILIES: readonly { id: string; imageSize: number }[] = [
  { id: 'resnet18.tv_in1k', imageSize: 32 },
  { id: 'resnet50.keras_in1k', imageSize: 32 },
  { id: 'inception_v3_aux.tv_in1k', imageSize: 299 },
  { id: 'densenet121.tv_in1k', imageSize: 32 },
  { id: 'mobilenet_v1.tf_in1k', imageSize: 32 },
  { id: 'mobilenet_v2.tv_in1k', imageSize: 32 },
  { id: 'efficientnet_b0.tv_in1k', imageSize: 32 },
  { id: 'efficientnet_lite0.tf_in1k', imageSize: 32 },
];

/** Prints, for each family and precision, the kinds of nodes that the GPU does not compute. */
export function placement({ json }: { json?: boolean }): void {
  const kernels = readKernels();
  const results: Record<string, Placement[]> = {};
  for (const { id, imageSize } of FAMILIES) {
    process.stderr.write(`${id} ...\n`);
    graphsOf(id, { imageSize, precisions: PRECISIONS }).forEach(
      ({ nodes }, i) => (results[`${id} ${PRECISIONS[i]}`] = placementsOf(nodes, kernels)),
    );
  }
  if (json) {
    console.log(JSON.stringify({ benchmark: 'placement', tensorflow: kernels.tensorflow, results }, null, 2));
    return;
  }
  const table = new Table({
    head: ['backbone and precision', 'nodes', 'kinds', 'no kernel for a GPU', 'in host memory'],
    style: { head: [], border: [] },
  });
  const text = ({ op, types, count }: Placement): string => `${op} (${Object.values(types).join(', ')}) x ${count}`;
  for (const [title, all] of Object.entries(results)) {
    const on = (...devices: Placement['device'][]) =>
      all
        .filter(({ device }) => devices.includes(device))
        .map(text)
        .join('\n') || 'none';
    table.push([title, all.reduce((sum, { count }) => sum + count, 0), all.length, on('cpu', 'none'), on('host')]);
  }
  console.log(table.toString());
  console.log('In host memory, by a kernel registered for the GPU:');
  for (const [kind, why] of Object.entries(IN_HOST_MEMORY)) console.log(`  ${kind}: ${why}`);
}
