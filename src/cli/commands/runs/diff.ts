// `rifle runs diff`: what differs between two runs.
import type { Command } from 'commander';
import pc from 'picocolors';
import { KitError } from '../../../base/errors';
import type { Difference } from '../../../runs/store/compare';
import { printLine, printList } from '../../print';
import { storeCommand } from '../../store-command';

/** The command. */
export function diffCommand(): Command {
  return storeCommand({
    name: 'diff',
    description: 'compare two runs: first what could explain a difference in the results',
    examples: ['rifle runs diff db31 d36e'],
    define: (command) => command.argument('<a>', 'id or its beginning').argument('<b>', 'id or its beginning'),
    async run(store, _, a: string, b: string) {
      const { idOf } = await import('../../../runs/store/selection.js');
      const { compareRuns, summaryOf } = await import('../../../runs/store/compare.js');
      const [first, second] = [a, b].map((start) => {
        const record = store.find(idOf(store, start));
        if (record === null)
          throw new KitError(`The run ${start} is not finished: there is nothing to compare yet.`, {
            code: 'RUN_UNFINISHED',
            fix: 'Wait until it is finished, or start it again to resume it.',
          });
        return record;
      });
      const comparison = compareRuns(first, second);
      const summary = summaryOf(comparison);
      const show = (title: string, list: readonly Difference[]): void => {
        if (list.length === 0) return;
        printLine(`\n${pc.bold(title)}`);
        printList(
          ['', comparison.a, comparison.b],
          list.map(({ field, a, b }) => [field, valueText(a), valueText(b)]),
        );
      };
      return {
        json: { ...comparison, summary },
        print() {
          printLine(summary);
          show('Settings', comparison.causes);
          show('Conditions', comparison.suspects);
          show('Results', comparison.results);
          show('Costs', comparison.costs);
        },
      };
    },
  });
}

const valueText = (value: unknown): string =>
  value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value);
