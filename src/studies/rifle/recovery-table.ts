// How the perturbation of a re-initialised head is absorbed: how far the training loss jumps, and how long until it is
// back.
import { summarize } from '../../analysis';
import { groupRuns, Table } from '../../report';
import type { RunRecord } from '../../runs';

/** One reset of one run. */
export interface Recovery {
  seed: number;
  /** Epoch (1-based) after which the head was re-initialised. */
  epoch: number;
  /** Training cross entropy (nats) of the epoch before the reset, and of the epoch after it. */
  before: number;
  after: number;
  /**
   * Epochs until the training cross entropy is no higher than before the reset; `null` when it is not before the next
   * reset or the end.
   */
  epochs: number | null;
}

/** Every reset that epochs follow. */
export function recoveriesOf({ spec, epochs, resets }: Pick<RunRecord, 'spec' | 'epochs' | 'resets'>): Recovery[] {
  return resets
    .filter((epoch) => epoch < epochs.length)
    .map((epoch) => {
      const before = epochs[epoch - 1].trainCrossEntropy;
      const next = resets.find((later) => later > epoch) ?? epochs.length;
      const back = epochs.slice(epoch, next).findIndex(({ trainCrossEntropy }) => trainCrossEntropy <= before);
      return {
        seed: spec.seed,
        epoch,
        before,
        after: epochs[epoch].trainCrossEntropy,
        epochs: back < 0 ? null : back + 1,
      };
    });
}

/**
 * Of every method that re-initialises the head: the mean jump of the training loss over its resets and seeds, and the
 * epochs until it is back.
 */
export function recoveryTable(records: readonly RunRecord[]): Table {
  const rows = groupRuns(records.filter(({ status }) => status === 'finished')).flatMap((group) =>
    group.methods.flatMap(({ label, records: runs }) => {
      const resets = runs.flatMap((run) => recoveriesOf(run));
      if (resets.length === 0) return [];
      const back = resets.flatMap(({ epochs }) => epochs ?? []);
      const spread = (values: number[]): [number, number | null] => [summarize(values).mean!, summarize(values).std];
      return [
        {
          dataset: group.dataset,
          backbone: group.backbone,
          settings: group.settings || null,
          method: label,
          resets: resets.length,
          before: spread(resets.map(({ before }) => before)),
          after: spread(resets.map(({ after }) => after)),
          back: `${back.length} of ${resets.length}`,
          epochs: back.length === 0 ? null : summarize(back).mean,
        },
      ];
    }),
  );
  return new Table({
    id: 'f3-recovery',
    title: 'How the perturbation is absorbed',
    caption:
      'Training cross entropy (nats, mean ± sample standard deviation over resets and seeds) of the epoch before a ' +
      'reset and of the epoch after it, and how many epochs pass until it is no higher than before.',
    columns: [
      { key: 'dataset', title: 'Data set', group: true, hoist: true },
      { key: 'backbone', title: 'Backbone', group: true, hoist: true },
      { key: 'settings', title: 'Settings', dataOnly: true },
      { key: 'method', title: 'Method' },
      { key: 'resets', title: 'Resets', kind: 'number', digits: 0 },
      { key: 'before', title: 'Loss before', kind: 'spread', digits: 3 },
      { key: 'after', title: 'Loss after', kind: 'spread', digits: 3 },
      { key: 'back', title: 'Recovered' },
      { key: 'epochs', title: 'Epochs until then', kind: 'number', digits: 1 },
    ],
    rows,
    notes: [
      'A reset counts as recovered when the loss comes back before the next reset and before the end. ' +
        'Resets after the last epoch are left out.',
    ],
  });
}
