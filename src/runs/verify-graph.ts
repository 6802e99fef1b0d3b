// Whether the present code gives the graph that a record names: for `rifle runs verify --graph`.
import { backbones } from '../backbones/backbone';
import { KitError } from '../base/errors';
import { changedDigests, codeDigestsOnce } from './code-digests';
import type { RunRecord } from './store/record';

/** The result for one record. */
export interface GraphVerdict {
  /** `unchecked`: see `why`. */
  state: 'same' | 'changed' | 'unchecked';
  /** One sentence; empty for the same graph. */
  why: string;
}

/**
 * Records the graph of `record` again, and compares digests. Weights from a file are replaced by random ones: no graph
 * of the kit depends on their values.
 */
export async function verifyGraph({ spec, graph, dataset }: RunRecord): Promise<GraphVerdict> {
  const unchecked = (why: string): GraphVerdict => ({ state: 'unchecked', why });
  if (graph === undefined) return unchecked('An older kit made it: it names no graph.');
  try {
    const { train, validation, test } = dataset;
    const classes = dataset.classes.length;
    const sized = { ...spec, imageSize: spec.imageSize ?? backbones.get(spec.backbone).inputSize };
    const weights = spec.weights === 'imagenet' ? 'imagenet' : 'random';
    const now = await codeDigestsOnce({ spec: sized, classes, train, validation, test }, graph.prepared ?? [], () =>
      backbones.load(spec.backbone, { classes, weights, seed: spec.seed }),
    );
    const changed = changedDigests(graph, now);
    if (changed === null) return unchecked(`Another kit made it: ${graph.kit}. This is ${now.kit}.`);
    return changed.length === 0
      ? { state: 'same', why: '' }
      : { state: 'changed', why: `The code has changed since: ${changed.join(', ')}.` };
  } catch (error) {
    if (error instanceof KitError) return unchecked(error.message);
    throw error;
  }
}
