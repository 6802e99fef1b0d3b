// `rifle runs list`: finished, failed and unfinished runs.
import type { Command } from 'commander';
import pc from 'picocolors';
import type { BriefRecord } from '../../../runs/store/record-index';
import type { RunFilter } from '../../../runs/store/selection';
import type { UnfinishedRun } from '../../../runs/store/unfinished';
import { wholeNumber } from '../../flags/numbers';
import { percent, printLine, printList, warnLeftOut } from '../../print';
import { duration } from '../../progress';
import { storeCommand, type StoreFlags } from '../../store-command';
import { selected, withFilters } from './selected';

/** The command. */
export function listCommand(): Command {
  return storeCommand<StoreFlags & RunFilter & { limit: number }>({
    name: 'list',
    description: 'list runs, newest last; with filters',
    examples: ['rifle runs list --method rifle --dataset elpv', 'rifle runs list --status unfinished --json'],
    define: (command) =>
      withFilters(command)
        .option('--method <name>', 'of this method')
        .option('--status <status>', 'finished, failed or unfinished')
        .option('--seed <n>', 'with this seed', wholeNumber)
        .option('--limit <n>', 'show only the newest; 0: all', wholeNumber, 50),
    async run(store, { runs: _, json, limit, ...filter }) {
      const { matchesFilter } = await import('../../../runs/store/selection.js');
      const { unfinishedRuns } = await import('../../../runs/store/unfinished.js');
      const { status } = filter;
      const { records, damaged } =
        status === 'unfinished' ? { records: [], damaged: [] } : await selected(store, filter, { json });
      const unfinished =
        status === undefined || status === 'unfinished'
          ? unfinishedRuns(store, json ? undefined : warnLeftOut).filter((run) => matchesFilter(run.like, filter))
          : [];
      const newest = limit === 0 ? records : records.slice(-limit);
      return {
        json: { runs: newest, unfinished: unfinished.map(({ like: _like, ...run }) => run), damaged },
        print() {
          printRecords(newest);
          if (newest.length < records.length)
            printLine(`... and ${records.length - newest.length} older runs (--limit 0 shows all)`);
          if (unfinished.length > 0) printUnfinished(unfinished);
        },
      };
    },
  });
}

function printRecords(records: readonly BriefRecord[]): void {
  const on = records.some(({ evaluatedOn }) => evaluatedOn === 'validation') ? 'top-1' : 'test top-1';
  const head = [
    'run',
    'method',
    'data set',
    'backbone',
    'seed',
    'epochs',
    on,
    'train top-1',
    'time',
    'finished',
    'device',
  ];
  const rows = records.map((record) => {
    const { id, method, dataset, spec, epochs, top1, wallSeconds, finishedAt, environment, status, evaluatedOn } =
      record;
    const last = epochs.at(-1);
    const accuracy = on === 'top-1' && evaluatedOn === 'validation' ? `${percent(top1)} (validation)` : percent(top1);
    return [
      id,
      method,
      dataset.name,
      spec.backbone,
      spec.seed,
      last?.epoch ?? 0,
      status === 'failed' ? 'diverged' : accuracy,
      last ? percent(last.trainTop1) : '',
      duration(wallSeconds),
      finishedAt.slice(0, 16).replace('T', ' '),
      environment.device,
    ];
  });
  printList(head, rows, { optional: ['device', 'train top-1', 'time', 'backbone', 'epochs'] });
}

function printUnfinished(unfinished: readonly UnfinishedRun[]): void {
  printLine(`\n${pc.bold('Unfinished')}`);
  printList(
    ['run', 'method', 'data set', 'seed', 'epochs done', 'state'],
    unfinished.map((run) => [
      run.id,
      run.method,
      run.dataset,
      run.seed,
      `${run.epochsDone}/${run.epochs}`,
      run.owner
        ? `in progress: process ${run.owner.pid} on ${run.owner.host}`
        : `interrupted, resumes when started again; last ${run.lastEvent}`,
    ]),
  );
}
