// The backbones by name: their records, and how one is fetched, checked and loaded.
import { KitError } from '../base/errors';
import type { OnProgress } from '../base/progress';
import { assemble, assembleZeros, expectedNames, matchWeights, randomHash, type FoundWeights } from './assemble';
import { definedBackbones, requireBackbone } from './define-backbone';
import './families'; // defines the kit's own
import type { Backbone, BackboneRecord } from './record';
import type { WeightsChoice } from './weights/choice';
import type { MatchReport } from './weights/match';
import {
  fetchPublished,
  publishedState,
  requireNamedHash,
  requirePublished,
  type PublishedManifest,
} from './weights/published';
import { hashOfChoice, hashWeights, readNetworkWeights, splitPath } from './weights/read';
import {
  fetchWeights,
  manifestHash,
  requireWeights,
  weightsState,
  type WeightsManifest,
  type WeightsState,
} from './weights/store';
import { fetchWeightsUrl, isWeightsUrl } from './weights/url';

export type { Backbone, BackboneRecord, ForwardHooks, ForwardOptions, ForwardResult, StatisticUpdate } from './record';
export type { MatchReport } from './weights/match';
export type { WeightsState } from './weights/store';

/** How to load a backbone. */
export interface LoadBackboneOptions {
  /**
   * Outputs of the head. As many as the head of the weights has (1000 for `'imagenet'`): that head stays. See `load`.
   */
  classes: number;
  /**
   * `'imagenet'`: the record's; `'random'`; the path of a weights file with the record's names (`.pth`, `.pth.tar`,
   * `.ckpt`, `.bin`, `.safetensors`, `.h5`, `.pb` or `model.json`); or the address of one with its hash,
   * `https://host/file.safetensors#sha256=<64 hexadecimal digits>`. Of several sets of tensors in a checkpoint, and of
   * several prefixes before the names, the fitting ones are found; `FILE#key=state_dict_ema&prefix=encoder.` chooses.
   * Default `'imagenet'`.
   */
  weights?: string;
  /** Seed of a new head and of random weights. Default 0. */
  seed?: number;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/** The backbones of the kit. */
export interface Backbones {
  /** The record of each: the kit's own in the order of the families, then those of `defineBackbone`. */
  list(): BackboneRecord[];
  /** The record of `id`. @throws KitError with the near names when there is no such backbone. */
  get(id: string): BackboneRecord;
  /**
   * The backbone `id` in memory. Its weights are downloaded when they are missing, and verified. The head of the
   * weights stays when it has exactly `classes` outputs; otherwise a new one is drawn as torch.nn.Linear does, from the
   * stream `head` of `seed`. So `classes: 1000` with `'imagenet'` always gives ImageNet's own head: only the number of
   * classes counts, not which classes the data set has.
   * @throws KitError when the id or the weights are not known, damaged, or do not fit.
   */
  load(id: string, options: LoadBackboneOptions): Promise<Backbone>;
  /**
   * How the tensors of a weights file line up with the backbone `id`, by name: which fit, are missing, left over or of
   * another shape, and which are known to be of no use; and how they were found in the file. `load` refuses a file with
   * missing, left over or wrongly shaped tensors.
   * @param weights as in `load`, but not `'random'`. Default `'imagenet'`.
   */
  match(
    id: string,
    weights?: string,
    options?: { onProgress?: OnProgress; signal?: AbortSignal },
  ): Promise<MatchReport>;
  /**
   * The `weightsHash` that `load` would give, without loading: of the file(s), or of seed and id when the weights are
   * random.
   */
  weightsHash(id: string, options?: { weights?: string; seed?: number }): Promise<string>;
  /**
   * Downloads, verifies and unpacks the ImageNet weights of `id`, unless they are ready; damaged ones are replaced.
   * @param options.from a file that you have fetched from the publisher yourself: it is verified and copied into place.
   */
  fetch(id: string, options?: { from?: string; onProgress?: OnProgress; signal?: AbortSignal }): Promise<void>;
  /** Whether the ImageNet weights of `id` are ready: reads and hashes them. */
  state(id: string): Promise<WeightsState>;
}

/** The backbones of the kit and those that studies define, by id. */
export const backbones: Backbones = {
  list: () => definedBackbones().map((definition) => definition.record),

  get: (id) => requireBackbone(id).record,

  async load(id, { classes, weights = 'imagenet', seed = 0, onProgress, signal }) {
    const definition = requireBackbone(id);
    const found = weights === 'random' ? null : await findWeights(id, weights, { onProgress, signal });
    return assemble(definition, { classes, seed, weights: found });
  },

  async match(id, weights = 'imagenet', options = {}) {
    return matchWeights(requireBackbone(id), await findWeights(id, weights, options));
  },

  async weightsHash(id, { weights = 'imagenet', seed = 0 } = {}) {
    if (weights === 'random') return randomHash(requireBackbone(id).record, seed);
    const manifest = weights === 'imagenet' ? manifestOf(id) : null;
    if (manifest !== null && 'package' in manifest) return manifestHash(manifest);
    const { hash, choice } = await locate(id, weights, {});
    return hashOfChoice(hash, choice);
  },

  async fetch(id, options = {}) {
    const manifest = manifestOf(id);
    if (!('package' in manifest)) return fetchPublished(manifest, options);
    if (options.from !== undefined)
      throw new KitError(`The weights of ${id} come from a package registry, not from a file.`, {
        code: 'WEIGHTS_FROM',
        fix: `npx rifle weights fetch ${id}`,
      });
    await fetchWeights(manifest, options);
  },

  async state(id) {
    const manifest = manifestOf(id);
    return 'package' in manifest ? weightsState(manifest) : publishedState(manifest);
  },
};

/** The backbone `id` with zeros as weights, for what depends on shapes alone: random ones take seconds to draw. */
export const zeroBackbone = (id: string, classes: number): Backbone => assembleZeros(requireBackbone(id), classes);

interface WorkOptions {
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

async function findWeights(id: string, weights: string, options: WorkOptions): Promise<FoundWeights> {
  const { source, hash, choice } = await locate(id, weights, options);
  const { onProgress } = options;
  const found = await readNetworkWeights(source, expectedNames(requireBackbone(id)), { onProgress, ...choice });
  return { ...found, source, hash: hashOfChoice(hash, choice) };
}

/** The path of weights, verified as far as that is possible, their hash, and the user's choice in the file. */
async function locate(
  id: string,
  weights: string,
  options: WorkOptions,
): Promise<{ source: string; hash: string; choice: WeightsChoice }> {
  if (isWeightsUrl(weights)) return fetchWeightsUrl(weights, options);
  if (weights !== 'imagenet') {
    const { file, ...choice } = splitPath(weights);
    const hash = await hashWeights(file);
    requireNamedHash(file, hash);
    return { source: file, hash, choice };
  }
  const manifest = manifestOf(id);
  if ('package' in manifest)
    return { source: await requireWeights(manifest, options), hash: manifestHash(manifest), choice: {} };
  const source = await requirePublished(manifest, options);
  return { source, hash: await hashWeights(source), choice: {} };
}

function manifestOf(id: string): WeightsManifest | PublishedManifest {
  const { weights } = requireBackbone(id).record;
  if (weights === null)
    throw new KitError(`The kit knows no published weights of ${id}.`, {
      code: 'WEIGHTS_NONE_PUBLISHED',
      fix: 'Give the path of a weights file, or "random".',
    });
  return weights;
}
