// `rifle runs import`: the runs of a bundle.
import type { Command } from 'commander';
import type { ImportedRun } from '../../../runs/bundle/import-bundle';
import { extensionOption, loadForRuns, type ExtensionFlags } from '../../flags/extensions';
import { printLine, warn } from '../../print';
import { storeCommand, type StoreFlags } from '../../store-command';

const STATES: Record<ImportedRun['state'], string> = {
  imported: 'imported',
  present: 'already here',
  repeated: 'already here, from another execution with the same bits',
  differs: 'NOT imported: the store has other numbers for them',
  unfinished: 'not imported: they are in progress or interrupted here',
};

/** The command. */
export function importCommand(): Command {
  return storeCommand<StoreFlags & ExtensionFlags>({
    name: 'import',
    description: 'import the runs of a bundle; a run that is here already is never overwritten',
    examples: ['rifle runs import results/mini/runs.tar.gz', 'rifle runs import results/mini --runs /tmp/mini'],
    define: (command) =>
      command.argument('<bundle>', 'the file, or a folder with runs.tar.gz').addOption(extensionOption()),
    async run(store, { extension }, bundle: string) {
      if (extension !== undefined) await loadForRuns({ extension });
      const { importBundle } = await import('../../../runs/bundle/import-bundle.js');
      const runs = await importBundle(store, bundle);
      const of = (state: ImportedRun['state']): ImportedRun[] => runs.filter((run) => run.state === state);
      if (of('differs').length > 0) process.exitCode = 1;
      return {
        json: { bundle, store: store.root, runs },
        print() {
          for (const [state, text] of Object.entries(STATES)) {
            const found = of(state as ImportedRun['state']);
            const ids = ['differs', 'unfinished'].includes(state) ? `: ${found.map(({ run }) => run).join(', ')}` : '';
            if (found.length > 0) printLine(`${found.length} runs ${text}${ids}.`);
          }
          const older = runs.filter(({ isCurrent }) => !isCurrent);
          if (older.length > 0)
            warn(`${older.length} runs are of other numerics than this kit's. They are not compared with new runs.`);
        },
      };
    },
  });
}
