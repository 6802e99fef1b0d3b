// `rifle data list|prepare|verify|check`: the data sets of the catalog and of folders.
import { Command } from 'commander';
import { dataCheckCommand } from '../data-check';
import { examples } from '../examples';
import { megabytes, printJson, printLine, printList } from '../print';
import { withProgress } from '../progress';
import type { Dataset, DatasetSpec } from '../../data/dataset';

/** Bytes to download for a data set; null when the size of a file is not known. */
function downloadBytes({ files }: DatasetSpec): number | null {
  return files.reduce<number | null>((sum, { bytes }) => (sum === null || bytes === null ? null : sum + bytes), 0);
}

/** Whether files of it must be downloaded by hand. */
const needsHand = ({ files }: DatasetSpec): boolean =>
  files.some((file) => 'byHand' in file && file.byHand !== undefined);

/** A notice when no hash shows that the files are the official ones; else empty. */
function doubt({ verified }: Pick<Dataset, 'verified'>): string {
  return verified === 'content'
    ? 'Lists, classes and counts are right, but no hash shows that the files are the official ones.'
    : '';
}

/** The command. */
export function dataCommand(): Command {
  const command = new Command('data').description('list, prepare, verify and check data sets');

  command
    .command('list')
    .description('the data sets of the catalog, and which are ready on this machine')
    .argument('[words...]', 'only those whose name or title has one of these words')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('rifle data list', 'rifle data list dtd caltech', 'rifle data list --json'))
    .action(async (words: string[], { json }: { json?: boolean }) => {
      const { datasets } = await import('../../data/catalog.js');
      const wanted = words.map((word) => word.toLowerCase());
      const all = datasets
        .list()
        .filter(
          ({ name, title }) =>
            wanted.length === 0 || wanted.some((word) => `${name} ${title}`.toLowerCase().includes(word)),
        )
        .map((spec) => ({
          ...spec,
          bytes: downloadBytes(spec),
          byHand: needsHand(spec),
          state: datasets.state(spec.name),
        }));
      if (json) return printJson(all);
      printList(
        ['data set', 'classes', 'train', 'test', 'download', 'licence', 'state'],
        all.map(({ name, classes, counts, bytes, licence, state, byHand }) => [
          name,
          classes.length,
          counts.train,
          counts.test,
          bytes === null ? 'not known' : megabytes(bytes),
          licence,
          state === 'missing' && byHand ? 'missing, by hand' : state,
        ]),
      );
      if (all.some(({ state }) => state === 'missing'))
        printLine('\nPrepare one: npx rifle data prepare NAME. It lists what is to be fetched by hand.');
    });

  command
    .command('prepare')
    .description('download, verify and extract a data set; nothing is done when it is ready')
    .argument('<name>', 'a name of the catalog, or a folder of images')
    .option(
      '--from <dir>',
      'take the files from this folder (or archive): official ones, or a re-packed or extracted copy',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      [
        '',
        'Downloads are resumed, verified by size and hash, extracted, read and counted.',
        'A folder: <class>/*, or train/<class>/*, test/<class>/* and perhaps val/<class>/*, or labels.csv ' +
          '(file,label).',
        examples(
          'rifle data prepare elpv',
          'rifle data prepare cub-200-2011',
          'rifle data prepare stanford-cars --from ~/Downloads/cars',
        ),
      ].join('\n'),
    )
    .action(async (name: string, { from, json }: { from?: string; json?: boolean }) => {
      const { datasets } = await import('../../data/catalog.js');
      const dataset = await withProgress(json, (options) => datasets.load(name, { from, ...options }));
      const { root, classes, train, validation, test, hash, verified, split, notices = [] } = dataset;
      if (json)
        return printJson({
          name: dataset.name,
          root,
          classes,
          train: train.length,
          ...(validation !== undefined && { validation: validation.length }),
          test: test.length,
          ...(split !== undefined && { split }),
          notices,
          hash,
          verified: verified ?? null,
        });
      printLine(
        `${dataset.name} is ready: ${classes.length} classes, ${train.length} training` +
          `${validation === undefined ? '' : `, ${validation.length} validation`} and ${test.length} test ` +
          `images in ${root}`,
      );
      for (const notice of notices) printLine(notice);
      if (doubt(dataset) !== '') printLine(doubt(dataset));
    });

  command
    .command('verify')
    .description('read every file of a data set again and compare with what was prepared')
    .argument('<name>', 'a name of the catalog, or a folder')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('rifle data verify elpv'))
    .action(async (name: string, { json }: { json?: boolean }) => {
      const { datasets } = await import('../../data/catalog.js');
      const dataset = await withProgress(json, (options) => datasets.verify(name, options));
      const images = dataset.train.length + dataset.test.length;
      if (json)
        return printJson({
          name: dataset.name,
          ok: true,
          images,
          hash: dataset.hash,
          verified: dataset.verified ?? null,
        });
      printLine(`${dataset.name} is whole: ${images} images, sha256 ${dataset.hash}`);
      if (doubt(dataset) !== '') printLine(doubt(dataset));
    });

  command.addCommand(dataCheckCommand());
  return command;
}
