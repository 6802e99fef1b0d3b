// From what a user asks for to one run: the complete spec, its images, its weights, and its id.
import { backbones, type BackboneRecord } from '../backbones/backbone';
import { KitError } from '../base/errors';
import { datasets } from '../data/catalog';
import type { Dataset } from '../data/dataset';
import { timetable } from '../transfer/resets/reset';
import { parseRunSpec, type RunSpec, type RunSpecInput } from '../transfer/spec/spec';
import { selectImages } from './selected-images';
import { runId } from './store/identity';

/** The identity of a run, and the data set that it needs. */
export interface RunIdentity {
  id: string;
  spec: SizedSpec;
  /** The spec without paths, as in the id and in the record. */
  portable: RunSpec;
  dataset: Dataset;
  weightsHash: string;
}

/**
 * The identity of the run that `input` describes. Prepares its data set if necessary.
 * @param load how data sets and hashes of weights are read. Default: the catalog, and the files.
 * @throws KitError for an invalid spec, data set or weights.
 */
export async function identifyRun(
  input: RunSpecInput,
  load: { dataset?: (name: string) => Promise<Dataset>; weightsHash?: typeof backbones.weightsHash } = {},
): Promise<RunIdentity> {
  const parsed = parseRunSpec(input);
  timetable(parsed); // refuses a timetable without resets before anything is downloaded
  const spec = resolveSizes(parsed, backbones.get(parsed.backbone));
  const dataset = selectImages(await (load.dataset ?? datasets.load)(spec.dataset), spec);
  const weightsHash = await (load.weightsHash ?? backbones.weightsHash)(spec.backbone, spec);
  const portable = withoutPaths(spec, dataset);
  return {
    id: runId({ spec: portable, data: dataset.hash, weights: weightsHash }),
    spec,
    portable,
    dataset,
    weightsHash,
  };
}

/** A spec whose sizes are numbers. Where a spec has `null`, they are the backbone's. */
export type SizedSpec = RunSpec & { imageSize: number; resizeSize: number };

function resolveSizes(spec: RunSpec, { inputSize, resizeSize }: BackboneRecord): SizedSpec {
  const imageSize = spec.imageSize ?? inputSize;
  if (spec.resizeSize !== null && spec.resizeSize < imageSize) {
    throw new KitError(`A crop of ${imageSize} pixels does not fit into a short side of ${spec.resizeSize} pixels.`, {
      code: 'SPEC_SIZES_MISMATCH',
      fix: 'Raise `resizeSize` or lower `imageSize`.',
    });
  }
  return {
    ...spec,
    imageSize,
    resizeSize: spec.resizeSize ?? Math.max(imageSize, Math.round((imageSize * resizeSize) / inputSize)),
  };
}

/** The spec without the paths of data and weights: the id has their hashes. */
const withoutPaths = (spec: RunSpec, dataset: Dataset): RunSpec => ({
  ...spec,
  dataset: dataset.name,
  weights: spec.weights === 'imagenet' || spec.weights === 'random' ? spec.weights : 'file',
});
