import assert from 'node:assert/strict';
import {
  FAMILIES,
  graphsOf,
  IN_HOST_MEMORY,
  kernelOf,
  kindOf,
  placementsOf,
  readKernels,
  type Placement,
} from '../../bench/placement';
import { PRECISIONS } from '../../src/engine/passes/precision';
import type { Graph } from '../../src/engine/graph/shapes';
import { methods } from '../../src/transfer/methods';
import { makeSteps } from '../../src/transfer/step';
import { graphOfSteps } from '../../src/transfer/compiled-steps';
import { golden, tinyNetwork, tinySpec } from '../transfer/tiny';

const kernels = readKernels();
const nameOf = ({ op, types }: Placement): string => `${op} ${Object.values(types).join()}`;

/**
 * The kinds of nodes of a graph that a GPU does not compute and no list explains, and those for which the CPU has no
 * kernel either.
 */
function unexplained({ nodes }: Graph): string[] {
  const placements = placementsOf(nodes, kernels);
  const elsewhere = placements
    .filter(({ device }) => device !== 'gpu')
    .filter((placement) => placement.device !== 'host' || !(nameOf(placement) in IN_HOST_MEMORY));
  return [...elsewhere, ...placements.filter((kind) => kernelOf(kernels, kind, 'cpu') === null)].map(
    (placement) => `${nameOf(placement)}: ${placement.device}`,
  );
}

describe('placement on a GPU', function () {
  this.timeout(120_000);

  it('reads kernels by the types of their attributes, and says what lies in host memory', () => {
    const node = (op: string, types: Record<string, number>) =>
      kindOf({
        name: 'n',
        op,
        inputs: [],
        attributes: Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }])),
      });
    assert.equal(kernels.tensorflow, '2.21.0');
    assert.deepEqual(kernelOf(kernels, node('Conv2D', { T: 1 }), 'gpu'), []);
    assert.deepEqual(kernelOf(kernels, node('Mean', { T: 19, Tidx: 3 }), 'gpu'), ['reduction_indices']);
    assert.deepEqual(
      kernelOf(kernels, node('Mean', { T: 19 }), 'gpu'),
      ['reduction_indices'],
      'an index type that is left out is int32',
    );
    assert.equal(kernelOf(kernels, node('Svd', { T: 19 }), 'gpu'), null, 'cuSOLVER has float32 and float64');
    assert.equal(kernelOf(kernels, node('NoSuchOp', {}), 'cpu'), null);
    assert.deepEqual(
      placementsOf([{ name: 'n', op: 'Svd', inputs: ['x'], attributes: { T: { type: 19 } } }], kernels),
      [{ op: 'Svd', types: { T: 'float16' }, count: 1, device: 'none' }],
    );
  });

  for (const { id, imageSize } of FAMILIES.filter((family) => family.id !== 'resnet50.keras_in1k')) {
    it(`has a kernel for every op of ${id}, training and evaluation, in every precision`, () => {
      graphsOf(id, { imageSize, precisions: PRECISIONS }).forEach((graph, i) =>
        assert.deepEqual(unexplained(graph), [], PRECISIONS[i]),
      );
    });
  }

  it('has a kernel for every op of every method, and of the loss scale', () => {
    const backbone = tinyNetwork();
    for (const { name, regularizers, tricks } of methods.list().filter(({ reset }) => reset === null)) {
      for (const precision of PRECISIONS) {
        const steps = makeSteps(tinySpec({ regularizers, tricks, precision, batchSize: 8, epochs: 10 }), backbone);
        assert.deepEqual(unexplained(graphOfSteps(steps, golden.size, [8], [8])), [], `${name} in ${precision}`);
        steps.dispose();
      }
    }
    backbone.dispose();
  });
});
