// The backbones by name: what the kit knows, and how one is fetched, checked and loaded.
import { KitError, unknownName } from '../engine/errors';
import type { OnProgress } from '../engine/progress';
import { assemble, randomHash, type BackboneDefinition, type FoundWeights } from './assemble';
import { efficientNetLites } from './efficientnet-lite';
import { mobileNetV1 } from './mobilenet-v1';
import type { Backbone, BackboneRecord } from './record';
import { resnets } from './resnet';
import { formatOfWeights, hashWeights, readWeights } from './weights/read';
import { fetchWeights, manifestHash, requireWeights, weightsManifest, weightsState, type WeightsManifest, type WeightsState } from './weights/store';

export type { Backbone, BackboneRecord, ForwardHooks, ForwardOptions, ForwardResult, StatisticUpdate } from './record';
export type { WeightsState } from './weights/store';

/** To add a family: its file, one line here, one fixture. */
const definitions: ReadonlyMap<string, BackboneDefinition> = new Map(
  [...efficientNetLites, ...mobileNetV1, ...resnets].map((definition) => [definition.record.id, definition]),
);

/** How to load a backbone. */
export interface LoadBackboneOptions {
  /** Outputs of the head. As many as the head of the weights has (1000 for `'imagenet'`): that head stays. See `load`. */
  classes: number;
  /** `'imagenet'`: the record's; `'random'`; or the path of a `.pth`, `.safetensors` or `model.json` with the record's names. Default `'imagenet'`. */
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
   * The backbone `id` in memory. Its weights are fetched when they never were, and verified. The head of the weights stays when it has
   * exactly `classes` outputs; otherwise a new one is drawn as torch.nn.Linear does, from the stream `head` of `seed`.
   * So `classes: 1000` with `'imagenet'` always gives ImageNet's own head, trained for ImageNet's classes, whatever the 1000 classes of the
   * data set are; only their number is looked at.
   * @throws KitError when the id or the weights are not known, damaged, or do not fit.
   */
  load(id: string, options: LoadBackboneOptions): Promise<Backbone>;
  /** The `weightsHash` that `load` would give, without loading: of the file(s), or of seed and id when the weights are random. */
  weightsHash(id: string, options?: { weights?: string; seed?: number }): Promise<string>;
  /** Makes the ImageNet weights of `id` ready: fetched, verified, unpacked; damaged ones are replaced. Nothing to do when they are. */
  fetch(id: string, options?: { onProgress?: OnProgress; signal?: AbortSignal }): Promise<void>;
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

  async weightsHash(id, { weights = 'imagenet', seed = 0 } = {}) {
    if (weights === 'imagenet') return manifestHash(manifestOf(id));
    return weights === 'random' ? randomHash(find(id).record, seed) : hashWeights(weights);
  },

  fetch: async (id, options) => fetchWeights(manifestOf(id), options),

  state: async (id) => weightsState(manifestOf(id)),
};

async function findWeights(id: string, weights: string, options: { onProgress?: OnProgress; signal?: AbortSignal }): Promise<FoundWeights> {
  const manifest = weights === 'imagenet' ? manifestOf(id) : null;
  const source = manifest ? await requireWeights(manifest, options) : weights;
  const stateDict = await readWeights(source, options);
  return { stateDict, format: formatOfWeights(source), source, hash: manifest ? manifestHash(manifest) : await hashWeights(source) };
}

function manifestOf(id: string): WeightsManifest {
  if (find(id).record.weights === null) {
    throw new KitError(`No registry holds weights of ${id}.`, { fix: 'Give the path of a weights file, or "random".' });
  }
  return weightsManifest(id);
}

function find(id: string): BackboneDefinition {
  const definition = definitions.get(id);
  if (definition === undefined) throw unknownName('backbone', id, [...definitions.keys()]);
  return definition;
}
