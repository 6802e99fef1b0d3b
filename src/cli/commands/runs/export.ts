// `rifle runs export`: the kept weights of a run for other programs.
import { Option, type Command } from 'commander';
import type { ExportFormat } from '../../../runs/export/export';
import { printLine } from '../../print';
import { storeCommand, type StoreFlags } from '../../store-command';

/** The command. */
export function exportCommand(): Command {
  return storeCommand<StoreFlags & { format: ExportFormat; which?: 'last' | 'best'; out?: string }>({
    name: 'export',
    description: 'write the kept weights of a run for other programs, checked by a prediction',
    examples: [
      'rifle runs export db31 --out birds.safetensors',
      'rifle runs export db31 --format savedmodel --which best',
    ],
    define: (command) =>
      command
        .argument('<id>', 'or its beginning')
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
        .option('--out <path>', 'the file or folder to make (default: <id>.safetensors, <id>.onnx, <id>-<format>)'),
    async run(store, { format, which, out }, start: string) {
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
