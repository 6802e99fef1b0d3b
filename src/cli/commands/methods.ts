// `rifle methods`: the methods of the tables.
import { Command } from 'commander';
import { printJson, printList } from '../print';

/** The command. */
export function methodsCommand(): Command {
  return new Command('methods')
    .description('list the methods of the tables and what each decides')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ npx rifle methods --json')
    .action(async ({ json }: { json?: boolean }) => {
      const { methods } = await import('../../transfer/methods.js');
      if (json) return printJson(methods.list());
      printList(
        ['method', 'title', 'regularizer', 're-initialisations', 'source'],
        methods.list().map(({ name, title, regularizer, rifle, source }) => [name, title, regularizer.name, rifle === null ? 'none' : rifle.reinitializations, source]),
      );
    });
}
