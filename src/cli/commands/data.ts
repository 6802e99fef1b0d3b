// `rifle data list|prepare|verify`: the data sets of the catalog.
import { Command } from 'commander';
import { interruptible } from '../interrupt';
import { megabytes, printJson, printLine, printList } from '../print';
import { showProgress } from '../progress';

/** The command. */
export function dataCommand(): Command {
  const command = new Command('data').description('list, prepare and verify data sets');

  command
    .command('list')
    .description('the data sets of the catalog, and which are ready on this machine')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { datasets } = await import('../../data/catalog.js');
      const all = datasets.list().map((spec) => ({ ...spec, state: datasets.state(spec.name), bytes: spec.files.reduce((sum, file) => sum + (file.bytes ?? 0), 0) }));
      if (json) return printJson(all);
      printList(
        ['data set', 'classes', 'train', 'test', 'download', 'licence', 'state'],
        all.map(({ name, classes, counts, bytes, licence, state }) => [name, classes.length, counts.train, counts.test, megabytes(bytes), licence, state]),
      );
    });

  command
    .command('prepare')
    .description('fetch, check and unpack a data set; nothing is done when it is ready')
    .argument('<name>', 'a name of the catalog, or a folder train/<class>/*, test/<class>/*')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ npx rifle data prepare elpv')
    .action(async (name: string, { json }: { json?: boolean }) => {
      const { datasets } = await import('../../data/catalog.js');
      const display = showProgress({ quiet: json });
      const dataset = await datasets.load(name, { onProgress: display.onProgress, signal: interruptible() }).finally(() => display.stop());
      const { root, classes, train, test, hash } = dataset;
      if (json) return printJson({ name: dataset.name, root, classes, train: train.length, test: test.length, hash });
      printLine(`${dataset.name} is ready: ${classes.length} classes, ${train.length} training and ${test.length} test images in ${root}`);
    });

  command
    .command('verify')
    .description('read every file of a data set again and compare with what was prepared')
    .argument('<name>', 'a name of the catalog, or a folder')
    .option('--json', 'print JSON')
    .action(async (name: string, { json }: { json?: boolean }) => {
      const { datasets } = await import('../../data/catalog.js');
      const display = showProgress({ quiet: json });
      const dataset = await datasets.verify(name, { onProgress: display.onProgress, signal: interruptible() }).finally(() => display.stop());
      if (json) return printJson({ name: dataset.name, ok: true, images: dataset.train.length + dataset.test.length, hash: dataset.hash });
      printLine(`${dataset.name} is whole: ${dataset.train.length + dataset.test.length} images, sha256 ${dataset.hash}`);
    });

  return command;
}
