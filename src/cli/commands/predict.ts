// `rifle predict`: classifies images with the weights of a run.
import fs from 'node:fs';
import { Command, Option } from 'commander';
import { KitError } from '../../base/errors';
import type { Predictions } from '../../predict/classifier';
import { examples } from '../examples';
import { wholeNumber } from '../flags/numbers';
import { percent, printJson, printLine, printList } from '../print';
import { withProgress } from '../progress';

interface PredictFlags {
  top: number;
  csv?: string;
  json?: boolean;
  which?: 'last' | 'best';
  runs?: string;
}

/** The command. */
export function predictCommand(): Command {
  return new Command('predict')
    .description('classify images with the weights of a run; exit code 1 when an image cannot be read')
    .argument('<model>', "a run's id or its beginning, an exported folder, or an exported weights file")
    .argument('<paths...>', 'images, and folders of images')
    .option('--top <n>', 'classes to show for each image', wholeNumber, 3)
    .option('--csv <file>', 'write a table: file, rank, class, probability')
    .addOption(
      new Option(
        '--which <weights>',
        'of the last epoch, or of the best on validation images (default: those of the reported accuracy)',
      ).choices(['last', 'best']),
    )
    .option('--runs <dir>', "where runs are kept (default: the kit's own folder)")
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples('rifle predict db31 photos/', 'rifle predict db31 a.jpg b.jpg --top 1 --csv predictions.csv'),
    )
    .action(async (source: string, paths: string[], { top, csv, json, which, runs }: PredictFlags) => {
      if (top < 1)
        throw new KitError(`Expected --top of at least 1, found ${top}.`, {
          code: 'PREDICT_TOP',
          fix: 'Give --top 1.',
        });
      const { classifier } = await import('../../predict/classifier.js');
      const result = await withProgress(json, async (options) => {
        const model = await classifier(source, { runs, which, signal: options.signal });
        return model.predict(paths, { top, ...options }).finally(() => model.dispose());
      });
      if (result.unreadable.length > 0) process.exitCode = 1;
      if (csv !== undefined) fs.writeFileSync(csv, csvOf(result));
      if (json) return printJson(jsonOf(result));
      printPredictions(result);
      if (csv !== undefined) printLine(`\nWritten to ${csv}.`);
    });
}

function printPredictions({ predictions, unreadable }: Predictions): void {
  const most = Math.max(0, ...predictions.map(({ top }) => top.length));
  printList(
    ['image', 'class', 'probability', ...Array.from({ length: most - 1 }, (_, i) => `${i + 2}.`)],
    predictions.map(({ file, top: [first, ...rest] }) => [
      file,
      first.name,
      percent(first.probability),
      ...rest.map(({ name, probability }) => `${name} ${percent(probability)}`),
    ]),
  );
  if (unreadable.length === 0) return;
  process.stderr.write(`${unreadable.length} of ${unreadable.length + predictions.length} images cannot be read:\n`);
  for (const { message } of unreadable) process.stderr.write(`  ${message}\n`);
}

/** Numbers as they are, without the logits' typed arrays. */
const jsonOf = ({ predictions, unreadable }: Predictions): object => ({
  predictions: predictions.map(({ file, top, logits }) => ({ file, top, logits: [...logits] })),
  unreadable,
});

/** RFC 4180: one line for each image and class. */
function csvOf({ predictions }: Predictions): string {
  const quoted = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = predictions.flatMap(({ file, top }) =>
    top.map(({ name, probability }, i) => [quoted(file), i + 1, quoted(name), probability].join(',')),
  );
  return `${['file,rank,class,probability', ...lines].join('\n')}\n`;
}
