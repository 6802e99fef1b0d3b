// `rifle runs export`: the kept weights of a run for other programs, or runs as a bundle for archives.
import { Option, type Command } from 'commander';
import { KitError } from '../../../base/errors';
import type { ExportFormat } from '../../../runs/export/export';
import type { RunStore } from '../../../runs/store/store';
import { megabytes, printLine } from '../../print';
import { storeCommand, type Answer, type StoreFlags } from '../../store-command';

/** The command. */
export function exportCommand(): Command {
  return storeCommand<
    StoreFlags & { format: ExportFormat; which?: 'last' | 'best'; out?: string; bundle?: string; scale?: string }
  >({
    name: 'export',
    description:
      'write the kept weights of a run for other programs, checked by a prediction; ' +
      'with --bundle, records and predictions of many runs in one file',
    examples: [
      'rifle runs export db31 --out birds.safetensors',
      'rifle runs export db31 --format savedmodel --which best',
      'rifle runs export --bundle mini.tar.gz --scale mini',
    ],
    define: (command) =>
      command
        .argument('[ids...]', 'a run, or its beginning; with --bundle: some runs, default all')
        .addOption(
          new Option(
            '--format <format>',
            'weights for PyTorch, a timm folder, ONNX, TensorFlow.js, a SavedModel for serving, or a web page',
          )
            .choices(['safetensors', 'timm', 'onnx', 'tfjs', 'savedmodel', 'web'])
            .default('safetensors'),
        )
        .addOption(
          new Option(
            '--which <weights>',
            'of the last epoch, or of the best on validation images (default: those of the reported accuracy)',
          ).choices(['last', 'best']),
        )
        .option('--out <path>', 'the file or folder to make (default: <id>.safetensors, <id>.onnx, <id>-<format>)')
        .option('--bundle <file>', 'write a bundle for archives and for `rifle runs import`, without weights')
        .option('--scale <name>', 'with --bundle: the runs of this scale'),
    async run(store, { format, which, out, bundle, scale }, starts: string[]) {
      if (bundle !== undefined) return writeBundle(store, bundle, starts, scale);
      if (scale !== undefined || starts.length !== 1)
        throw new KitError(`Weights are exported from one run, found ${starts.length}.`, {
          code: 'EXPORT_ONE_RUN',
          fix: 'Give one run, or --bundle FILE for many.',
        });
      const [start] = starts;
      const { idOf } = await import('../../../runs/store/selection.js');
      const { exportName, exportRun } = await import('../../../runs/export/export.js');
      const id = idOf(store, start);
      const done = await exportRun(store, id, { format, which, to: out ?? exportName(id, format) });
      return {
        json: { run: id, format, which, ...done },
        print: () =>
          printLine(
            `${done.path}: the weights of run ${id}${which === undefined ? '' : `, ${which} epoch`}` +
              (done.difference === null
                ? ''
                : `; its logits are within ${done.difference.toPrecision(2)} of the kit's own`),
          ),
      };
    },
  });
}

async function writeBundle(store: RunStore, file: string, starts: readonly string[], scale?: string): Promise<Answer> {
  const { idOf } = await import('../../../runs/store/selection.js');
  const { exportBundle } = await import('../../../runs/bundle/export-bundle.js');
  await import('../../../studies/built-in.js');
  const { atScale } = await import('../../../studies/at-scale.js');
  const records =
    starts.length > 0 ? starts.map((start) => idOf(store, start)).map((id) => store.find(id)!) : store.list();
  const chosen = scale === undefined ? records : atScale(records, scale);
  const name = `rifle-kit: runs${scale === undefined ? '' : ` at scale ${scale}`}`;
  const done = await exportBundle(
    store,
    chosen.map(({ id }) => id),
    file,
    { name },
  );
  return {
    json: done,
    print: () => printLine(`${done.path}: ${done.runs.length} runs, ${megabytes(done.bytes)}`),
  };
}
