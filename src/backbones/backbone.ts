// The backbones by name: what the kit knows, and how one is fetched, checked and loaded.
import { KitError, unknownName } from '../base/errors';
import type { OnProgress } from '../base/progress';
import { assemble, matchWeights, randomHash, type BackboneDefinition, type FoundWeights } from './assemble';
import { denseNets } from './families/densenet';
import { efficientNets } from './families/efficientnet';
import { efficientNetLites } from './families/efficientnet-lite';
import { inceptionV3 } from './families/inception-v3';
import { mobileNetV1 } from './families/mobilenet-v1';
import { mobileNetV2 } from './families/mobilenet-v2';
import type { Backbone, BackboneRecord } from './record';
import { resnets } from './families/resnet';
import type { MatchReport } from './weights/readers/state-dict';
import { formatOfWeights, hashWeights, readWeights } from './weights/read';
import {
  fetchPublished,
  publishedState,
  requireNamedHash,
  requirePublished,
  type PublishedManifest,
} from './weights/published';
import { fetchWeightsUrl, isWeightsUrl } from './weights/url';
import {
  fetchWeights,
  manifestHash,
  requireWeights,
  weightsState,
  type WeightsManifest,
  type WeightsState,
} from './weights/store';

export type { Backbone, BackboneRecord, ForwardHooks, ForwardOptions, ForwardResult, StatisticUpdate } from './record';
export type { MatchReport } from './weights/readers/state-dict';
export type { WeightsState } from './weights/store';

/** To add a family: its file, one line here, one fixture. */
const definitions: ReadonlyMap<string, BackboneDefinition> = new Map(
  [
    ...resnets,
    ...inceptionV3,
    ...denseNets,
    ...mobileNetV1,
    ...mobileNetV2,
    ...efficientNets,
    ...efficientNetLites,
  ].map((definition) => [definition.record.id, definition]),
);

/** How to load a backbone. */
export interface LoadBackboneOptions {
  /**
   * Outputs of the head. As many as the head of the weights has (1000 for `'imagenet'`): that head stays. See `load`.
   */
  classes: number;
  /**
   * `'imagenet'`: the record's; `'random'`; the path of a `.pth`, `.safetensors`, `.h5`, `.pb` or `model.json` with the
   * record's names; or the address
   * of one with its hash, `https://host/file.safetensors#sha256=<64 hexadecimal digits>`. Default `'imagenet'`.
   */
  weights?: string;
  /** What a new head and random weights are drawn from. Default 0. */
  seed?: number;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/** The backbones of the kit. */
export interface Backbones {
  /** What is known of each, in the order of the families. */
  list(): BackboneRecord[];
  /** What is known of `id`. @throws KitError with the near names when there is no such backbone. */
  get(id: string): BackboneRecord;
  /**
   * The backbone `id` in memory. Its weights are fetched when they never were, and verified. The head of the weights
   * stays when it has
   * exactly `classes` outputs; otherwise a new one is drawn as torch.nn.Linear does, from the stream `head` of `seed`.
   * So `classes: 1000` with `'imagenet'` always gives ImageNet's own head, trained for ImageNet's classes, whatever the
   * 1000 classes of the
   * data set are; only their number is looked at.
   * @throws KitError when the id or the weights are not known, damaged, or do not fit.
   */
  load(id: string, options: LoadBackboneOptions): Promise<Backbone>;
  /**
   * How the tensors of a weights file line up with the backbone `id`, by name: what fits, what is missing, left over or
   * of another shape, and
   * what is known to be of no use. `load` refuses all but what fits and what is of no use.
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
   * Makes the ImageNet weights of `id` ready: fetched, verified, unpacked; damaged ones are replaced. Nothing to do
   * when they are.
   * @param options.from a file that you have fetched from the publisher yourself: it is verified and copied into place.
   */
  fetch(id: string, options?: { from?: string; onProgress?: OnProgress; signal?: AbortSignal }): Promise<void>;
  /** Whether the ImageNet weights of `id` are ready: reads and hashes them. */
  state(id: string): Promise<WeightsState>;
}

/** The backbones of the kit, by id. */
export const backbones: Backbones = {
  list: () => [...definitions.values()].map((definition) => definition.record),

  get: (id) => find(id).record,

  async load(id, { classes, weights = 'imagenet', seed = 0, onProgress, signal }) {
    const definition = find(id);
    const found = weights === 'random' ? null : await findWeights(id, weights, { onProgress, signal });
    return assemble(definition, { classes, seed, weights: found });
  },

  async match(id, weights = 'imagenet', options = {}) {
    const definition = find(id);
    return matchWeights(definition, await findWeights(id, weights, options));
  },

  async weightsHash(id, { weights = 'imagenet', seed = 0 } = {}) {
    if (weights === 'random') return randomHash(find(id).record, seed);
    const manifest = weights === 'imagenet' ? manifestOf(id) : null;
    return manifest !== null && 'package' in manifest ? manifestHash(manifest) : (await locate(id, weights, {})).hash;
  },

  async fetch(id, options = {}) {
    const manifest = manifestOf(id);
    if (!('package' in manifest)) return fetchPublished(manifest, options);
    if (options.from !== undefined)
      throw new KitError(`The weights of ${id} come from a package registry, not from a file.`, {
        fix: `npx rifle weights fetch ${id}`,
      });
    await fetchWeights(manifest, options);
  },

  async state(id) {
    const manifest = manifestOf(id);
    return 'package' in manifest ? weightsState(manifest) : publishedState(manifest);
  },
};

async function findWeights(
  id: string,
  weights: string,
  options: { onProgress?: OnProgress; signal?: AbortSignal },
): Promise<FoundWeights> {
  const { source, hash } = await locate(id, weights, options);
  return { stateDict: await readWeights(source, options), format: formatOfWeights(source), source, hash };
}

/** Where weights are, verified as far as that is possible, and their hash. */
async function locate(
  id: string,
  weights: string,
  options: { onProgress?: OnProgress; signal?: AbortSignal },
): Promise<{ source: string; hash: string }> {
  if (isWeightsUrl(weights)) return fetchWeightsUrl(weights, options);
  if (weights !== 'imagenet') {
    const hash = await hashWeights(weights);
    requireNamedHash(weights, hash);
    return { source: weights, hash };
  }
  const manifest = manifestOf(id);
  if ('package' in manifest) return { source: await requireWeights(manifest, options), hash: manifestHash(manifest) };
  const source = await requirePublished(manifest, options);
  return { source, hash: await hashWeights(source) };
}

function manifestOf(id: string): WeightsManifest | PublishedManifest {
  const { weights } = find(id).record;
  if (weights === null)
    throw new KitError(`Nobody publishes weights of ${id} that the kit knows.`, {
      fix: 'Give the path of a weights file, or "random".',
    });
  return weights;
}

function find(id: string): BackboneDefinition {
  const definition = definitions.get(id);
  if (definition === undefined) throw unknownName('backbone', id, [...definitions.keys()]);
  return definition;
}
