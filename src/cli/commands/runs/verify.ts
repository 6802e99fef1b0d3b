// `rifle runs verify`: whether the files of runs are as they were written.
import type { Command } from 'commander';
import pc from 'picocolors';
import type { RunVerdict } from '../../../runs/store/verify';
import { printLine } from '../../print';
import { storeCommand, type StoreFlags } from '../../store-command';

/** The command. */
export function verifyCommand(): Command {
  return storeCommand<StoreFlags & { data?: boolean }>({
    name: 'verify',
    description: 'verify the files of runs; exit code 1 when a run was changed',
    examples: ['rifle runs verify --data'],
    define: (command) =>
      command.argument('[ids...]', 'default: all').option('--data', 'also load their data sets and compare hashes'),
    async run(store, { data }, starts: string[]) {
      const { idOf } = await import('../../../runs/store/selection.js');
      const { verifyRun } = await import('../../../runs/store/verify.js');
      const ids = starts.length > 0 ? starts.map((start) => idOf(store, start)) : store.ids();
      const verdicts: RunVerdict[] = [];
      for (const id of ids) verdicts.push(await verifyRun(store, id, { data }));
      const wrong = verdicts.filter(({ state }) => state === 'wrong');
      if (wrong.length > 0) process.exitCode = 1;
      return {
        json: verdicts,
        print() {
          for (const { run, problems } of wrong)
            printLine(`${pc.red(run)}\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
          const count = (state: RunVerdict['state']): number =>
            verdicts.filter((verdict) => verdict.state === state).length;
          printLine(
            [
              `${verdicts.length} runs: ${count('sound')} sound`,
              ...(count('unchecked') > 0 ? [`${count('unchecked')} without checksums (made by kit 0.1)`] : []),
              `${count('unfinished')} unfinished`,
              `${wrong.length} wrong.`,
            ].join(', '),
          );
        },
      };
    },
  });
}
