// How much memory a program will take, told from its recorded graph before TensorFlow gets it.
import { DataType } from '../binding';
import { KitError } from '../../base/errors';
import type { GraphNode } from './saved-model';
import type { Graph, TensorShape } from './shapes';
import { dataInputs, producerOf } from './graph-index';

/** Bytes of one number, by TensorFlow's data types (types.proto); 4 for any other. */
const BYTES: Readonly<Record<number, number>> = { [DataType.bool]: 1, [DataType.uint8]: 1, 14: 2, 19: 2 };

/** Ops that give what they were given, in the same memory. */
const SAME_MEMORY = new Set(['Identity', 'Reshape', 'ExpandDims', 'Squeeze']);

/** An estimate for a program, in bytes. */
export interface MemoryEstimate {
  /**
   * Variables, and what lives at the fullest moment and is not of a batch: gradients, new values of variables,
   * constants.
   */
  fixed: number;
  /** What lives at that moment for each image of a batch. */
  perImage: number;
  /** The batch of the function with the fullest moment. */
  batchSize: number;
  /** All of it: fixed + perImage x batchSize. */
  total: number;
}

/**
 * The memory of `graph` while one of its functions runs: that whose fullest moment is the fullest.
 *
 * A value lives from the node that makes it to the last that reads it, in the order of the nodes, each after all that
 * it waits for; the fullest moment is where the most bytes live together, what a node reads and makes included. Ops
 * that pass on their input's memory make nothing. What is of a batch is told by its first side:
 * `batchSizes` are those that functions were recorded for (a vector that happens to be as long is taken along, which is
 * little). So memory is a + b x batch, a and b read off at that moment, and exact as long as the moment stays the same.
 *
 * Not in it: the workspaces of convolutions, what TensorFlow's allocator keeps in reserve, and the process itself.
 */
export function estimateMemory({ nodes, shapes }: Graph, batchSizes: readonly number[]): MemoryEstimate {
  const variables = nodes
    .filter(({ op }) => op === 'VarHandleOp')
    .reduce((sum, { attributes }) => sum + variableBytes(attributes), 0);
  const batches = new Set(batchSizes);
  const outputs = outputsOf(shapes);
  let fullest: MemoryEstimate = { fixed: variables, perImage: 0, batchSize: 0, total: variables };
  for (const part of partsOf(inOrder(nodes))) {
    const { fixed, ofBatch } = fullestMoment(part, shapes, outputs, batches);
    const batchSize = batchOf(part, shapes, batches);
    const total = variables + fixed + ofBatch;
    if (total > fullest.total)
      fullest = { fixed: variables + fixed, perImage: batchSize === 0 ? 0 : ofBatch / batchSize, batchSize, total };
  }
  return fullest;
}

/** The largest batch whose estimate is within `limit` bytes; 0 when none is. */
export const largestBatch = ({ fixed, perImage }: MemoryEstimate, limit: number): number =>
  perImage === 0 ? 0 : Math.max(0, Math.floor((limit - fixed) / perImage));

/**
 * What a step takes beside the estimate, as a factor: workspaces, reserve, another order. Measured on a CPU,
 * EfficientNet-Lite0 and ResNet-50 at 224 px: 1.6 and 1.5 at a batch of 8, 1.2 and 1.2 at 32.
 */
export const HEADROOM = 1.6;

/**
 * Refuses a program that cannot fit, before it is loaded. The estimate is the least that it takes, so what it refuses
 * would fail; the batch that the error names leaves room for the rest (`HEADROOM`).
 * @param limit bytes that are free.
 * @throws KitError with the estimate, the limit, and the batch size that fits.
 */
export function requireMemory(estimate: MemoryEstimate, limit: number): void {
  if (estimate.total <= limit) return;
  const { total, fixed, perImage, batchSize } = estimate;
  const batch = largestBatch(estimate, limit / HEADROOM);
  const shares = `${gigabytes(fixed)}, and ${gigabytes(perImage)} an image`;
  throw new KitError(
    `A step on ${batchSize} images takes at least ${gigabytes(total)} of memory (${shares}), ` +
      `and ${gigabytes(limit)} are free.`,
    {
      code: 'STEP_MEMORY',
      fix:
        batch > 0
          ? `A batch of ${batch} fits: lower the batch size, or the image size.`
          : 'Not even one image fits: free some memory, or lower the image size, or take a smaller backbone.',
    },
  );
}

/**
 * Bytes that a program on the CPU may take: what this machine or this container has free, and what the process holds
 * already, as most of that is of a run before.
 */
export const freeMemory = (): number => process.availableMemory() + process.memoryUsage.rss();

const gigabytes = (bytes: number): string =>
  bytes < 0.1e9 ? `${(bytes / 1e6).toPrecision(3)} MB` : `${(bytes / 1e9).toPrecision(3)} GB`;

/** The nodes so that each comes after those that it reads or waits for, else in the order in which they are. */
function inOrder(nodes: readonly GraphNode[]): GraphNode[] {
  const waiting = new Map(nodes.map((node) => [node.name, node]));
  const ordered: GraphNode[] = [];
  const place = (node: GraphNode): void => {
    waiting.delete(node.name);
    for (const input of node.inputs) {
      const before = waiting.get(producerOf(input));
      if (before !== undefined) place(before);
    }
    ordered.push(node);
  };
  for (const node of nodes) if (waiting.has(node.name)) place(node);
  return ordered;
}

/** Bytes that live at the fullest moment of `nodes`, which run in this order: of a batch, and else. */
function fullestMoment(
  nodes: readonly GraphNode[],
  shapes: Graph['shapes'],
  outputs: ReadonlyMap<string, readonly string[]>,
  batches: ReadonlySet<number>,
): { fixed: number; ofBatch: number } {
  const owner = new Map<string, string>(); // whose memory a value lies in
  const ownerOf = (value: string): string => owner.get(value) ?? value;
  const last = new Map<string, number>();
  nodes.forEach((node, i) => {
    const inputs = dataInputs(node);
    if (SAME_MEMORY.has(node.op) && inputs.length > 0) owner.set(node.name, ownerOf(inputs[0]));
    for (const input of inputs) last.set(ownerOf(input), i);
    for (const value of outputs.get(node.name) ?? []) if (!last.has(ownerOf(value))) last.set(ownerOf(value), i);
  });
  const dying = new Map<number, string[]>();
  for (const [value, at] of last) {
    const others = dying.get(at);
    if (others === undefined) dying.set(at, [value]);
    else others.push(value);
  }

  let [fixed, ofBatch] = [0, 0];
  let fullest = { fixed, ofBatch };
  const born = new Set<string>();
  const add = (value: string, sign: 1 | -1): void => {
    const known = shapes.get(value);
    if (known === undefined) return;
    if (known.shape.length > 0 && batches.has(known.shape[0])) ofBatch += sign * bytesOf(known);
    else fixed += sign * bytesOf(known);
  };
  nodes.forEach((node, i) => {
    // A variable is read where it lies.
    if (!SAME_MEMORY.has(node.op) && node.op !== 'ReadVariableOp') {
      for (const value of outputs.get(node.name) ?? []) {
        born.add(value);
        add(value, 1);
      }
    }
    if (fixed + ofBatch > fullest.fixed + fullest.ofBatch) fullest = { fixed, ofBatch };
    for (const value of dying.get(i) ?? []) if (born.delete(value)) add(value, -1);
  });
  return fullest;
}

/** The nodes of each function, in their order: functions have nothing in common but variables. */
function partsOf(nodes: readonly GraphNode[]): GraphNode[][] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const parent = new Map<string, string>();
  const root = (name: string): string => {
    let at = name;
    for (let above = parent.get(at); above !== undefined; above = parent.get(at)) {
      parent.set(at, parent.get(above) ?? above); // half the way next time
      at = above;
    }
    return at;
  };
  // Variables are everybody's; all else is of one function.
  const shared = (node: GraphNode): boolean => node.op === 'VarHandleOp';
  for (const node of nodes) {
    for (const input of node.inputs) {
      const before = byName.get(producerOf(input));
      if (before === undefined || shared(before) || shared(node)) continue;
      const [a, b] = [root(node.name), root(before.name)];
      if (a !== b) parent.set(a, b);
    }
  }
  const parts = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    if (shared(node)) continue;
    const part = parts.get(root(node.name));
    if (part === undefined) parts.set(root(node.name), [node]);
    else part.push(node);
  }
  return [...parts.values()];
}

/** The batch of a function: the first side of its largest value that is one of `batches`. */
function batchOf(nodes: readonly GraphNode[], shapes: Graph['shapes'], batches: ReadonlySet<number>): number {
  let [largest, batch] = [0, 0];
  for (const { name } of nodes) {
    const known = shapes.get(name);
    if (known === undefined || known.shape.length === 0 || !batches.has(known.shape[0]) || bytesOf(known) <= largest)
      continue;
    [largest, batch] = [bytesOf(known), known.shape[0]];
  }
  return batch;
}

/** The values of each node. */
function outputsOf(shapes: Graph['shapes']): Map<string, string[]> {
  const outputs = new Map<string, string[]>();
  for (const value of shapes.keys()) {
    const name = producerOf(value);
    const known = outputs.get(name);
    if (known === undefined) outputs.set(name, [value]);
    else known.push(value);
  }
  return outputs;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, 1);

const bytesOf = ({ shape, dtype }: TensorShape): number => sizeOf(shape) * (BYTES[dtype] ?? 4);

function variableBytes({ shape, dtype }: GraphNode['attributes']): number {
  return bytesOf({ shape: (shape as { shape: readonly number[] }).shape, dtype: (dtype as { type: number }).type });
}
