// `rifle methods`: the methods of the tables.
import { Command } from 'commander';
import type { Part } from '../../base/definitions/part';
import { examples } from '../examples';
import { printJson, printList } from '../print';

/** The data set and the backbone of the specs that are printed. */
const EXAMPLE = { dataset: 'elpv', backbone: 'efficientnet_lite0.tf_in1k' };

/** The command. */
export function methodsCommand(): Command {
  return new Command('methods')
    .description('list the methods of the tables and what each decides')
    .option('--json', 'print JSON: each with the complete spec of a run of it')
    .addHelpText('after', examples('rifle methods --json'))
    .action(async ({ json }: { json?: boolean }) => {
      const { methods } = await import('../../transfer/methods.js');
      const { parseRunSpec } = await import('../../transfer/spec/spec.js');
      if (json)
        return printJson(
          methods.list().map((method) => ({ ...method, spec: parseRunSpec(methods.apply(method.name, EXAMPLE)) })),
        );
      printList(
        ['method', 'title', 'regularizers', 'tricks', 'reset', 'source'],
        methods
          .list()
          .map(({ name, title, regularizers, tricks, reset, source }) => [
            name,
            title,
            listInWords(regularizers),
            listInWords(tricks),
            reset === null ? 'none' : resetInWords(reset),
            source,
          ]),
      );
    });
}

const listInWords = (parts: readonly Part[]): string => parts.map(inWords).join('; ') || 'none';

/** RIFLE has many options: its preset and its number of resets say enough. */
const resetInWords = (reset: Part): string =>
  typeof reset.preset === 'string'
    ? `${reset.name}: ${reset.preset}, ${String(reset.reinitializations)}`
    : inWords(reset);

/** `delta: alpha 0.01, beta 0.01`. */
function inWords({ name, ...values }: Part): string {
  const parts = Object.entries(values).map(([key, value]) => `${key} ${String(value)}`);
  return parts.length > 0 ? `${name}: ${parts.join(', ')}` : name;
}
