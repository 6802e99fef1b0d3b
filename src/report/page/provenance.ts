// How the numbers of a report were made: settings, runs, data, weights and environments.
import type { RunEnvironment, RunRecord } from '../../runs/store/record';
import { finalTrainTop1, type MethodRuns, type RunGroup } from '../comparison/grouping';
import { repetitionsText } from '../comparison/repetition';
import { html, htmlLines, type Html } from '../table/markup';
import { definitions } from './page';
import { Table } from '../table/tabular';

/** Different environments in the order of first use, lettered A, B, ... */
function environmentsOf(records: readonly RunRecord[]): {
  letters: Map<string, string>;
  environments: RunEnvironment[];
} {
  const letters = new Map<string, string>();
  const environments: RunEnvironment[] = [];
  for (const { environment } of records) {
    const key = JSON.stringify(environment);
    if (letters.has(key)) continue;
    letters.set(
      key,
      environments.length < 26 ? String.fromCharCode(65 + environments.length) : String(environments.length + 1),
    );
    environments.push(environment);
  }
  return { letters, environments };
}

/** One row a run: its accuracy, its cost, and its environment. */
export function runsTable(records: readonly RunRecord[]): Table {
  const { letters } = environmentsOf(records);
  return new Table({
    id: 'runs',
    title: 'Runs',
    caption:
      'Top-1 in percent after the last epoch; training images are augmented, and the network is in training mode. ' +
      'Resets: epochs after which the head was re-initialised. Run: the first digits of the sha256 over spec, data, ' +
      'weights and the version of the numerics. In CSV and JSON, times are in seconds.',
    columns: [
      { key: 'dataset', title: 'Data set', group: true, hoist: true },
      { key: 'backbone', title: 'Backbone', group: true, hoist: true },
      { key: 'method', title: 'Method' },
      { key: 'seed', title: 'Seed', kind: 'number', digits: 0 },
      { key: 'status', title: 'Status', dataOnly: true },
      { key: 'evaluated_on', title: 'Evaluated on', dataOnly: records.every(({ spec }) => spec.evaluateOn === 'test') },
      { key: 'test', title: 'Test', unit: '%', kind: 'number' },
      { key: 'train', title: 'Train', unit: '%', kind: 'number' },
      { key: 'epochs', title: 'Epochs', kind: 'number', digits: 0 },
      { key: 'resets', title: 'Resets' },
      { key: 'seconds', title: 'Time', kind: 'duration' },
      { key: 'peak', title: 'Memory', unit: 'MB', kind: 'number', digits: 0 },
      { key: 'started', title: 'Started (UTC)' },
      { key: 'environment', title: 'Made in' },
      { key: 'run', title: 'Run' },
    ],
    rows: records.map((record) => ({
      dataset: record.dataset.name,
      backbone: record.spec.backbone,
      method: record.method,
      seed: record.spec.seed,
      status: record.status,
      evaluated_on: record.spec.evaluateOn,
      test: record.failure ? `failed in epoch ${record.failure.epoch}` : 100 * record.top1,
      train: record.epochs.length === 0 ? null : 100 * finalTrainTop1(record),
      epochs: record.epochs.length,
      resets: record.resets.join(', ') || null,
      seconds: record.wallSeconds,
      peak: record.peakMemoryMb,
      started: record.startedAt.replace('T', ' ').replace(/:\d\d(\.\d+)?Z$/, ''),
      environment: letters.get(JSON.stringify(record.environment)) ?? null,
      run: record.id,
    })),
    notes: [],
  });
}

/** The settings of each group, data and weights with their hashes, and the complete spec of each method's first run. */
export function settingsHtml(groups: readonly RunGroup[]): Html {
  return htmlLines(
    groups.map(({ label, methods }) => {
      const specs = methods.map(({ label: name, records: [{ spec }] }) => {
        const summary = html`<summary>Spec of ${name}, seed ${spec.seed}</summary>`;
        return html`<details class="spec">${summary}<pre>${JSON.stringify(spec, null, 2)}</pre></details>`;
      });
      return htmlLines([html`<h3>${label}</h3>`, definitions(settingsOf(methods)), ...specs]);
    }),
  );
}

function settingsOf(methods: readonly MethodRuns[]): [name: string, value: string][] {
  const [first] = methods[0].records;
  const { spec, dataset, weights } = first;
  const images = `${dataset.train} training and ${dataset.test} test images`;
  const classes = `${dataset.classes.length} classes (${dataset.classes.join(', ')})`;
  const millions = (weights.parameters / 1e6).toFixed(2);
  const size = (pixels: number | null): string => String(pixels ?? "the backbone's own");
  return [
    ['data set', `${dataset.name}: ${images}, ${classes}`],
    ['data hash', `sha256 ${dataset.hash}`],
    ['backbone', `${spec.backbone}: ${millions} million trained parameters, starting from ${spec.weights}`],
    ['weights hash', `sha256 ${weights.hash}`],
    ['images', `crop ${size(spec.imageSize)} px from a short side of ${size(spec.resizeSize)} px`],
    ['schedule', `${spec.epochs} epochs of batches of ${spec.batchSize}, ${spec.schedule.name}`],
    [
      'optimizer',
      Object.entries(spec.optimizer)
        .map(([name, value]) => `${name} ${String(value)}`)
        .join(', '),
    ],
    ['seeds', repetitionsText(methods.flatMap(({ records }) => records.map((record) => record.spec)))],
    [
      'numerics',
      `${Object.entries(first.numerics)
        .map((each) => each.join(' '))
        .join(', ')}, ${spec.precision}`,
    ],
  ];
}

/** Each environment once, under its letter. */
export function environmentsHtml(records: readonly RunRecord[]): Html {
  const { letters, environments } = environmentsOf(records);
  return htmlLines(
    environments.flatMap((environment) => {
      const { gitCommit, gitDirty, flags, ...rest } = environment;
      const commit = gitCommit === null ? 'not in a repository' : `${gitCommit}${gitDirty ? ', with changes' : ''}`;
      const settings = Object.entries(flags).map(([name, value]) => `${name}=${value}`);
      const entries: [string, string][] = [
        ...Object.entries(rest).map(([name, value]): [string, string] => [name, String(value)]),
        ['commit', commit],
        ['flags', settings.join(' ') || 'none'],
      ];
      return [html`<h3>${letters.get(JSON.stringify(environment))}</h3>`, definitions(entries)];
    }),
  );
}
