// `rifle weights list|fetch|match`: pretrained weights.
import { Command } from 'commander';
import { interruptible } from '../interrupt';
import { megabytes, percent, printJson, printLine, printList } from '../print';
import { showProgress } from '../progress';

/** The command. */
export function weightsCommand(): Command {
  const command = new Command('weights').description('list, fetch and check pretrained weights');

  command
    .command('list')
    .description('the backbones, their weights, and which are ready on this machine')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  $ npx rifle weights list\n  $ npx rifle weights list --json')
    .action(async ({ json }: { json?: boolean }) => {
      const { backbones } = await import('../../backbones/backbone.js');
      const all = await Promise.all(
        backbones.list().map(async (record) => ({ ...record, state: await backbones.state(record.id) })),
      );
      if (json) return printJson(all);
      printList(
        ['backbone', 'parameters', 'input', 'ImageNet top-1 claimed', 'download', 'licence', 'state'],
        all.map(({ id, parameters, inputSize, top1Claimed, weights, licence, state }) => [
          id,
          `${(parameters / 1e6).toFixed(1)} M`,
          `${inputSize} px`,
          top1Claimed === null ? 'unknown' : percent(top1Claimed),
          weights === null ? 'none' : megabytes('bytes' in weights ? weights.bytes : weights.mebibytes * 2 ** 20),
          licence,
          state,
        ]),
      );
    });

  command
    .command('fetch')
    .description('fetch and check the weights of a backbone; nothing is done when they are ready')
    .argument('<id>', 'a backbone, for example efficientnet_lite0.tf_in1k')
    .option('--from <file>', 'a file that you have fetched from the publisher: it is checked and copied into place')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nA download that broke off goes on where it was.\nExamples:\n  $ npx rifle weights fetch resnet50.keras_in1k\n  $ npx rifle weights fetch resnet50.tv_in1k --from ~/Downloads/resnet50-0676ba61.pth',
    )
    .action(async (id: string, { from, json }: { from?: string; json?: boolean }) => {
      const { backbones } = await import('../../backbones/backbone.js');
      const display = showProgress({ quiet: json });
      await backbones
        .fetch(id, { from, onProgress: display.onProgress, signal: interruptible() })
        .finally(() => display.stop());
      const state = await backbones.state(id);
      if (json) return printJson({ id, state });
      printLine(`${id}: ${state}`);
    });

  command
    .command('match')
    .description('how a weights file lines up with a backbone, tensor by tensor; exit code 1 when it does not fit')
    .argument('<id>', 'a backbone, for example resnet50.tv_in1k')
    .argument('<file>', 'a weights file (.pth, .safetensors, .h5, .pb, model.json), or its address with #sha256=')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ npx rifle weights match resnet50.tv_in1k resnet50-0676ba61.pth')
    .action(async (id: string, file: string, { json }: { json?: boolean }) => {
      const { backbones } = await import('../../backbones/backbone.js');
      const report = await backbones.match(id, file, { signal: interruptible() });
      const { matched, missing, leftOver, ignored, wrongShape } = report;
      if (missing.length + leftOver.length + wrongShape.length > 0) process.exitCode = 1;
      if (json) return printJson(report);
      const shapes = wrongShape.map(
        ({ name, expected, found }) => `${name} [${found.join(', ')}], expected [${expected.join(', ')}]`,
      );
      for (const [what, names] of [
        ['fit', matched],
        ['missing', missing],
        ['left over', leftOver],
        ['of another shape', shapes],
        ['of no use', ignored],
      ] as const) {
        const named = what === 'fit' || what === 'of no use' ? [] : names;
        printLine(`${String(names.length).padStart(5)} ${what}${named.length > 0 ? `: ${named.join('; ')}` : ''}`);
      }
    });

  return command;
}
