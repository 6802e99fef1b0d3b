// The records that `rifle runs list` and `rifle runs table` are about: one reading for both.
import type { Command } from 'commander';
import type { BriefRecord } from '../../../runs/store/record-index';
import type { RunFilter } from '../../../runs/store/selection';
import type { RunStore } from '../../../runs/store/store';
import { warnLeftOut } from '../../print';
import type { StoreFlags } from '../../store-command';

/** Records that pass a filter, and the runs that cannot be read. */
export interface Selected {
  records: BriefRecord[];
  /** A line each: id and reason. */
  damaged: string[];
}

/** The filters of a record that leave whole groups of runs. */
export const withFilters = (command: Command): Command =>
  command
    .option('--dataset <name>', 'on data sets with this in their name')
    .option('--backbone <name>', 'of backbones with this in their id')
    .option('--since <date>', 'finished since then, for example 2026-05-01');

/**
 * The records of `store` that pass `filter`. A run that cannot be read is named on stderr, or in `damaged` with --json.
 */
export async function selected(store: RunStore, filter: RunFilter, { json }: StoreFlags): Promise<Selected> {
  const { matchesFilter } = await import('../../../runs/store/selection.js');
  const damaged: string[] = [];
  const records = store
    .brief((id, error) => {
      damaged.push(`${id}: ${error.message}`);
      if (!json) warnLeftOut(id, error);
    })
    .filter((record) => matchesFilter(record, filter));
  return { records, damaged };
}
