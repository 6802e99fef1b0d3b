// `rifle runs verify`: whether the files of runs are as they were written.
import type { Command } from 'commander';
import pc from 'picocolors';
import type { GraphVerdict } from '../../../runs/verify-graph';
import type { RunStore } from '../../../runs/store/store';
import type { RunVerdict } from '../../../runs/store/verify';
import { extensionOption, loadForRuns, type ExtensionFlags } from '../../flags/extensions';
import { printLine } from '../../print';
import { storeCommand, type StoreFlags } from '../../store-command';

/** The command. */
export function verifyCommand(): Command {
  return storeCommand<StoreFlags & ExtensionFlags & { data?: boolean; graph?: boolean }>({
    name: 'verify',
    description: 'verify the files of runs; exit code 1 when a run was changed',
    examples: ['rifle runs verify --data', 'rifle runs verify --graph'],
    define: (command) =>
      command
        .argument('[ids...]', 'default: all')
        .option('--data', 'also load their data sets and compare hashes')
        .option('--graph', 'also record their training graphs and compare digests; loads extensions')
        .addOption(extensionOption()),
    async run(store, { data, graph, extension }, starts: string[]) {
      if (graph === true || extension !== undefined) await loadForRuns({ extension });
      const { idOf } = await import('../../../runs/store/selection.js');
      const { verifyRun } = await import('../../../runs/store/verify.js');
      const ids = starts.length > 0 ? starts.map((start) => idOf(store, start)) : store.ids();
      const verdicts: (RunVerdict & { graph?: GraphVerdict })[] = [];
      for (const id of ids) {
        const verdict = await verifyRun(store, id, { data });
        const isRead = graph === true && !['wrong', 'unfinished'].includes(verdict.state);
        verdicts.push(isRead ? await withGraph(store, verdict) : verdict);
      }
      const wrong = verdicts.filter(({ state }) => state === 'wrong');
      if (wrong.length > 0) process.exitCode = 1;
      return {
        json: verdicts,
        print() {
          for (const { run, problems } of wrong)
            printLine(`${pc.red(run)}\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
          for (const { run, graph: found } of verdicts)
            if (found?.state === 'unchecked') printLine(`${run}: graph not checked. ${found.why}`);
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

/** `verdict` with that of the run's graph. A changed graph is a problem of the run. */
async function withGraph(store: RunStore, verdict: RunVerdict): Promise<RunVerdict & { graph: GraphVerdict }> {
  const { verifyGraph } = await import('../../../runs/verify-graph.js');
  const graph = await verifyGraph(store.find(verdict.run)!);
  return graph.state === 'changed'
    ? { ...verdict, state: 'wrong', problems: [...verdict.problems, graph.why], graph }
    : { ...verdict, graph };
}
