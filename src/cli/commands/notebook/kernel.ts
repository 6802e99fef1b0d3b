// `rifle kernel`: the TypeScript kernel for a Jupyter of one's own, for VS Code, or for JupyterHub.
import { Command } from 'commander';
import pc from 'picocolors';
import { KitError } from '../../../base/errors';
import type { KernelPlace } from '../../../notebook/kernel-specs';
import { printJson, printLine, printList } from '../../print';

interface InstallFlags {
  user?: boolean;
  sysPrefix?: boolean;
  prefix?: string;
  name: string;
}

/** The command. */
export function kernelCommand(): Command {
  const command = new Command('kernel').description('install the TypeScript kernel into any Jupyter of this machine');
  command
    .command('install')
    .description('make the kernel known to Jupyter, VS Code or JupyterHub')
    .option('--user', 'for this user (the default)')
    .option('--sys-prefix', 'in the active Python environment')
    .option('--prefix <dir>', 'below this folder, as DIR/share/jupyter')
    .option('--name <name>', 'the name by which notebooks know it', 'rifle')
    .action(async (flags: InstallFlags) => {
      const { installKernel } = await import('../../../notebook/kernel-specs.js');
      const folder = installKernel(placeOf(flags), flags.name);
      printLine(`installed "${flags.name}" in ${pc.cyan(folder)}`);
    });
  command
    .command('list')
    .description("list the kit's kernels that Jupyter finds")
    .option('--prefix <dir>', 'look below this folder too')
    .option('--json', 'print the list as JSON')
    .action(async ({ prefix, json }: { prefix?: string; json?: boolean }) => {
      const { listKernels } = await import('../../../notebook/kernel-specs.js');
      const found = listKernels(prefix);
      if (json) return printJson(found);
      const state = (works: boolean): string => (works ? pc.green('ready') : pc.red('its kit is gone'));
      printList(
        ['name', 'folder', 'state'],
        found.map(({ name, folder, works }) => [name, folder, state(works)]),
      );
    });
  command
    .command('uninstall')
    .description('remove it')
    .option('--prefix <dir>', 'look below this folder too')
    .option('--name <name>', 'its name', 'rifle')
    .action(async ({ prefix, name }: { prefix?: string; name: string }) => {
      const { uninstallKernel } = await import('../../../notebook/kernel-specs.js');
      for (const folder of uninstallKernel(name, prefix)) printLine(`removed ${folder}`);
    });
  return command;
}

function placeOf({ user, sysPrefix, prefix }: InstallFlags): KernelPlace {
  if ([user, sysPrefix, prefix].filter((each) => each !== undefined).length > 1)
    throw new KitError('Expected one of --user, --sys-prefix and --prefix, found several.', {
      code: 'KERNEL_PLACE_AMBIGUOUS',
      fix: 'Choose one.',
    });
  if (prefix !== undefined) return { kind: 'prefix', folder: prefix };
  return { kind: sysPrefix ? 'sys-prefix' : 'user' };
}
