// `rifle weights list|fetch|match`: pretrained weights.
import { Command } from 'commander';
import type { MatchReport } from '../../backbones/backbone';
import { shapeText } from '../../backbones/weights/readers/state-dict';
import { quoted, quotedList } from '../../base/visible';
import { examples } from '../examples';
import { interruptible } from '../interrupt';
import { megabytes, percent, printJson, printLine, printList } from '../print';
import { withProgress } from '../progress';

/** Names of one kind that `match` prints. */
const mostNames = 50;

/** The command. */
export function weightsCommand(): Command {
  const command = new Command('weights').description('list, fetch and check pretrained weights');

  command
    .command('list')
    .description('list the backbones, their weights, and which are ready on this machine')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('rifle weights list', 'rifle weights list --json'))
    .action(async ({ json }: { json?: boolean }) => {
      const { backbones } = await import('../../backbones/backbone.js');
      const all = await Promise.all(
        backbones.list().map(async (record) => ({
          ...record,
          state: record.weights === null ? 'none published' : await backbones.state(record.id),
        })),
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
    .description('download and verify the weights of a backbone, unless they are ready')
    .argument('<id>', 'a backbone, for example efficientnet_lite0.tf_in1k')
    .option('--from <file>', 'a file that you downloaded from the publisher: it is verified and copied')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nAn interrupted download is resumed.\n' +
        examples(
          'rifle weights fetch resnet50.keras_in1k',
          'rifle weights fetch resnet50.tv_in1k --from ~/Downloads/resnet50-0676ba61.pth',
        ),
    )
    .action(async (id: string, { from, json }: { from?: string; json?: boolean }) => {
      const { backbones } = await import('../../backbones/backbone.js');
      await withProgress(json, (options) => backbones.fetch(id, { from, ...options }));
      const state = await backbones.state(id);
      if (json) return printJson({ id, state });
      printLine(`${id}: ${state}`);
    });

  command
    .command('match')
    .description('compare a weights file with a backbone, tensor by tensor; exit code 1 when it does not fit')
    .argument('<id>', 'a backbone, for example resnet50.tv_in1k')
    .argument('<file>', 'a weights file (PyTorch, .safetensors, .h5, .pb, model.json), or its address with #sha256=')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nOf a checkpoint with several sets of weights, FILE#key=KEY chooses one, FILE#prefix=PREFIX a part of it.\n' +
        examples(
          'rifle weights match resnet50.tv_in1k resnet50-0676ba61.pth',
          'rifle weights match resnet50.tv_in1k checkpoint.pth.tar#key=state_dict_ema',
        ),
    )
    .action(async (id: string, file: string, { json }: { json?: boolean }) => {
      const { backbones } = await import('../../backbones/backbone.js');
      const report = await backbones.match(id, file, { signal: interruptible() });
      const { missing, leftOver, wrongShape } = report;
      if (missing.length + leftOver.length + wrongShape.length > 0) process.exitCode = 1;
      if (json) return printJson(report);
      for (const line of matchLines(report)) printLine(line);
    });

  return command;
}

/** The lines that describe a match: how many tensors fit, the names of the others, and how they were found. */
function matchLines({ matched, missing, leftOver, ignored, wrongShape, selection }: MatchReport): string[] {
  const { key, otherKeys, prefix, outside, renamed, unreadable } = selection;
  const shapes = wrongShape.map(
    ({ name, expected, found }) => `${quoted(name)} ${shapeText(found)}, expected ${shapeText(expected)}`,
  );
  const counted = (count: number, what: string, names = ''): string =>
    `${String(count).padStart(5)} ${what}${names === '' ? '' : `: ${names}`}`;
  const lines = [counted(matched.length, 'fit')];
  if (renamed.length > 0) lines.push(counted(renamed.length, 'of these were renamed'));
  lines.push(
    counted(missing.length, 'missing', quotedList(missing, mostNames)),
    counted(leftOver.length, 'left over', quotedList(leftOver, mostNames)),
    counted(shapes.length, 'of another shape', shapes.slice(0, mostNames).join('; ')),
    counted(ignored.length, 'of no use'),
  );
  if (outside.length > 0) lines.push(counted(outside.length, 'outside the prefix', quotedList(outside, mostNames)));
  if (unreadable.length > 0) {
    const types = unreadable.map(({ name, type }) => `${name} (${type})`);
    lines.push(counted(unreadable.length, 'of a type that cannot be read', quotedList(types, mostNames)));
  }
  if (key !== '') lines.push(`Read from the key ${quoted(key)} of the checkpoint.`);
  if (otherKeys.length > 0)
    lines.push(
      `As many names fit under ${quotedList(otherKeys)}: choose with FILE#key=${quoted(otherKeys[0]).slice(1, -1)}.`,
    );
  if (prefix !== '') lines.push(`Removed the prefix ${quoted(prefix)}.`);
  return lines;
}
