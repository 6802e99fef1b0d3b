// `rifle runs prune`: deletes runs.
import type { Command } from 'commander';
import { megabytes, printLine, printList, warn } from '../../print';
import { storeCommand, type StoreFlags } from '../../store-command';

/** The command. */
export function pruneCommand(): Command {
  return storeCommand<StoreFlags & { yes?: boolean; unfinished?: boolean; failed?: boolean; oldNumerics?: boolean }>({
    name: 'prune',
    description: 'delete runs by id or by kind; without --yes, only lists them',
    examples: ['rifle runs prune --unfinished', 'rifle runs prune --unfinished --yes'],
    define: (command) =>
      command
        .argument('[ids...]', 'runs by id')
        .option('--unfinished', 'unfinished runs, with their checkpoints')
        .option('--failed', 'runs that diverged')
        .option('--old-numerics', 'runs of an older kit with other numbers')
        .option('--yes', 'delete them'),
    async run(store, { runs: _, json: _json, yes = false, ...kinds }, starts: string[]) {
      const { idOf } = await import('../../../runs/store/selection.js');
      const { prunable, prune, sizeOfFolder } = await import('../../../runs/store/prune.js');
      const found = prunable(store, { ids: starts.map((start) => idOf(store, start)), ...kinds }).map((run) => ({
        ...run,
        bytes: sizeOfFolder(store.folder(run.id)),
      }));
      const ids = found.map(({ id }) => id);
      const { removed, busy } = yes ? await prune(store, ids) : { removed: [], busy: [] };
      return {
        json: { removed: yes, runs: found.filter(({ id }) => !busy.includes(id)), busy },
        print() {
          printList(
            ['run', 'why', 'size'],
            found.map(({ id, why, bytes }) => [id, why, megabytes(bytes)]),
          );
          if (busy.length > 0) warn(`Not deleted, because a process makes them now: ${busy.join(', ')}`);
          if (found.length === 0) printLine('There is nothing to delete.');
          else if (yes) printLine(`${removed.length} runs deleted.`);
          else printLine(`${found.length} runs would be deleted: add --yes.`);
        },
      };
    },
  });
}
