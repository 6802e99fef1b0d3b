// `rifle runs table`: accuracy of the methods over their seeds.
import type { Command } from 'commander';
import type { RunFilter } from '../../../runs/store/selection';
import { printLine, terminalWidth } from '../../print';
import { storeCommand, type StoreFlags } from '../../store-command';
import { selected, withFilters } from './selected';

/** The command. */
export function tableCommand(): Command {
  return storeCommand<StoreFlags & RunFilter & { baseline: string }>({
    name: 'table',
    description: 'tabulate accuracy by method, over seeds, each method compared with its control',
    examples: ['rifle runs table --dataset elpv'],
    define: (command) =>
      withFilters(command).option('--baseline <method>', 'the method that others are compared with', 'fine-tuning'),
    async run(store, { runs: _, json, baseline, ...filter }) {
      const { methodsTable } = await import('../../../report/tables/methods-table.js');
      const { records, damaged } = await selected(store, filter, { json });
      const table = methodsTable(records, { baseline, methods: [] });
      return {
        json: { ...table.toJson(), damaged },
        print: () => printLine(table.toText(terminalWidth())),
      };
    },
  });
}
