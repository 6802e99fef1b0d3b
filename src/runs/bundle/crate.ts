// The description of a bundle for archives: an RO-Crate (https://w3id.org/ro/crate/1.1).
import type { RunRecord } from '../store/record';
import { CRATE, MANIFEST, runPath } from './manifest';

/** What the description needs of each run. */
export interface CrateRun {
  record: RunRecord;
  /** Names of the run's files in the bundle. */
  files: readonly string[];
}

type Entity = { '@id': string; '@type': string } & Record<string, unknown>;

const id = (value: string): { '@id': string } => ({ '@id': value });

const [LICENCE, PAPER, AUTHORS, SCHEMA] = [
  'https://spdx.org/licenses/Apache-2.0',
  'https://arxiv.org/abs/2007.03349',
  '#rifle-kit-authors',
  'https://w3id.org/ro/crate/1.1',
];

const PAPER_TITLE =
  'RIFLE: Backpropagation in Depth for Deep Transfer Learning through Re-Initializing the ' + 'Fully-connected LayEr';

/** What each file of a run is. */
const FILES: Record<string, { what: string; form: string }> = {
  'record.json': { what: 'Spec, numbers of each epoch, hashes and environment', form: 'application/json' },
  'layers.json': { what: 'Gradient, update and distance of each layer and epoch', form: 'application/json' },
  'predictions.safetensors': { what: 'Logits of the last evaluation', form: 'application/octet-stream' },
  'best-predictions.safetensors': { what: 'Logits of the best evaluation', form: 'application/octet-stream' },
};

/** The metadata document of a bundle of `runs`, at least one. It depends on the records alone. */
export function crateOf(runs: readonly CrateRun[], { name }: { name: string }): object {
  const records = runs.map(({ record }) => record);
  const kits = [...new Set(records.map(({ environment }) => environment.kit))].sort();
  const newest = records.map(({ finishedAt }) => finishedAt).reduce((a, b) => (a > b ? a : b));
  const datasets = [...new Map(records.map(({ dataset }) => [dataset.name, dataset])).values()];
  const graph: Entity[] = [
    { '@id': CRATE, '@type': 'CreativeWork', conformsTo: id(SCHEMA), about: id('./') },
    {
      '@id': './',
      '@type': 'Dataset',
      name,
      description:
        `${runs.length} runs of ${[...new Set(records.map(({ method }) => method))].join(', ')} on ` +
        `${datasets.map((each) => each.name).join(', ')}: records, numbers of layers and predictions, without weights.`,
      datePublished: newest,
      license: id(LICENCE),
      author: id(AUTHORS),
      publisher: id(AUTHORS),
      citation: id(PAPER),
      hasPart: [id(MANIFEST), ...records.map((record) => id(runPath(record.id)))],
      mentions: records.map((record) => id(`#run-${record.id}`)),
    },
    {
      '@id': MANIFEST,
      '@type': 'File',
      name: 'Manifest',
      description: 'The runs of this bundle, and the sha256 of each of its files',
      encodingFormat: 'application/json',
    },
    { '@id': LICENCE, '@type': 'CreativeWork', name: 'Apache License 2.0', url: LICENCE },
    { '@id': AUTHORS, '@type': 'Organization', name: 'The rifle-kit authors' },
    {
      '@id': PAPER,
      '@type': 'ScholarlyArticle',
      name: PAPER_TITLE,
      datePublished: '2020',
      identifier: PAPER,
    },
    ...kits.map((kit): Entity => ({
      '@id': kitEntity(kit),
      '@type': 'SoftwareApplication',
      name: `rifle-kit ${kit}`,
      softwareVersion: kit,
      license: id(LICENCE),
    })),
    ...datasets.map(({ name: dataset, hash, classes, train, test }): Entity => ({
      '@id': datasetEntity(dataset),
      '@type': 'CreativeWork',
      name: dataset,
      description: `Images of ${classes.length} classes, ${train} to train and ${test} to test; not part of this crate`,
      identifier: `sha256:${hash}`,
    })),
    ...runs.flatMap(entitiesOf),
  ];
  return { '@context': `${SCHEMA}/context`, '@graph': graph };
}

const kitEntity = (kit: string): string => `#rifle-kit-${encodeURIComponent(kit)}`;
const datasetEntity = (name: string): string => `#dataset-${encodeURIComponent(name)}`;

/** A run: its folder, its files, and the action that made them. */
function entitiesOf({ record, files }: CrateRun): Entity[] {
  const { spec, method, dataset, environment, weights } = record;
  const title = `${method}, seed ${spec.seed}, on ${dataset.name} with ${spec.backbone}`;
  const conditions =
    `TensorFlow ${environment.tensorflow} on ${environment.device}, ${environment.cpu}, ${environment.cores} cores, ` +
    `Node ${environment.node}, ${environment.platform}`;
  return [
    {
      '@id': runPath(record.id),
      '@type': 'Dataset',
      name: `Run ${record.id}`,
      description: title,
      hasPart: files.map((file) => id(runPath(record.id, file))),
    },
    ...files.map((file): Entity => ({
      '@id': runPath(record.id, file),
      '@type': 'File',
      name: `${file} of run ${record.id}`,
      description: FILES[file].what,
      encodingFormat: FILES[file].form,
    })),
    {
      '@id': `#run-${record.id}`,
      '@type': 'CreateAction',
      name: title,
      description: `Pretrained weights ${weights.id} (sha256 ${weights.hash}). ${conditions}.`,
      instrument: id(kitEntity(environment.kit)),
      object: id(datasetEntity(dataset.name)),
      result: id(runPath(record.id)),
      startTime: record.startedAt,
      endTime: record.finishedAt,
    },
  ];
}
