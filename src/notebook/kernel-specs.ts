// Installs the kernel for any Jupyter of this machine: a folder with its description where Jupyter looks for kernels.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { KitError } from '../base/errors';
import { packageRoot } from '../base/home';

/** Where a kernel is installed: for this user, in the active Python environment, or below a folder. */
export type KernelPlace = { kind: 'user' } | { kind: 'sys-prefix' } | { kind: 'prefix'; folder: string };

/** An installed kernel of the kit. */
export interface InstalledKernel {
  name: string;
  displayName: string;
  /** The folder of its kernel.json. */
  folder: string;
  /** Whether the kit that it starts still exists. */
  works: boolean;
}

const NAME = /^[A-Za-z0-9._-]+$/;
const MAIN = path.join('src', 'notebook', 'kernel', 'main.js');

/** The program of the kernel. */
const program = (): string => path.join(packageRoot(), 'dist', MAIN);

/**
 * Installs the kernel for another Jupyter than the kit's own.
 * @param name the name in notebooks. Default `rifle`.
 * @returns its folder.
 * @throws KitError when the name is not valid or taken by another kernel, or when there is no such place.
 */
export function installKernel(place: KernelPlace, name = 'rifle'): string {
  if (!NAME.test(name))
    throw new KitError(`Expected a kernel name of letters, digits, ".", "_" and "-", found "${name}".`, {
      code: 'KERNEL_NAME_INVALID',
      fix: 'Choose another name.',
    });
  const folder = path.join(dataFolder(place), 'kernels', name.toLowerCase());
  const file = path.join(folder, 'kernel.json');
  if (fs.existsSync(file) && readKernel(folder) === null)
    throw new KitError(`The folder ${folder} has a kernel that is not the kit's.`, {
      code: 'KERNEL_NAME_TAKEN',
      fix: 'Choose another name with --name.',
    });
  const description = {
    argv: [process.execPath, program(), '{connection_file}'],
    display_name: name === 'rifle' ? 'TypeScript (rifle-kit)' : `TypeScript (rifle-kit, ${name})`,
    language: 'typescript',
    interrupt_mode: 'message',
    metadata: { debugger: false },
  };
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(file, `${JSON.stringify(description, null, 2)}\n`);
  return folder;
}

/** The kit's kernels in Jupyter's folders and in `prefix`. */
export function listKernels(prefix?: string): InstalledKernel[] {
  const folders = [
    ...(prefix === undefined ? [] : [dataFolder({ kind: 'prefix', folder: prefix })]),
    userFolder(),
    ...['VIRTUAL_ENV', 'CONDA_PREFIX'].flatMap((name) => process.env[name] ?? []).map(below),
    ...['/usr/local', '/usr'].map(below),
  ];
  return [...new Set(folders)].flatMap((folder) => {
    const kernels = path.join(folder, 'kernels');
    const names = fs.existsSync(kernels) ? fs.readdirSync(kernels).sort() : [];
    return names.flatMap((name) => readKernel(path.join(kernels, name)) ?? []);
  });
}

/**
 * Removes an installed kernel.
 * @returns the folders that were removed.
 * @throws KitError when there is none of that name.
 */
export function uninstallKernel(name = 'rifle', prefix?: string): string[] {
  const found = listKernels(prefix).filter((kernel) => kernel.name === name.toLowerCase());
  if (found.length === 0)
    throw new KitError(`No kernel of the kit is installed under the name "${name}".`, {
      code: 'KERNEL_NOT_INSTALLED',
      fix: 'List them with `npx rifle kernel list`.',
    });
  for (const { folder } of found) fs.rmSync(folder, { recursive: true });
  return found.map(({ folder }) => folder);
}

/** The kernel in `folder`; `null` when it is not the kit's. */
function readKernel(folder: string): InstalledKernel | null {
  try {
    const text = fs.readFileSync(path.join(folder, 'kernel.json'), 'utf8');
    const { argv, display_name: displayName } = JSON.parse(text) as { argv: string[]; display_name: string };
    const main = argv.find((each) => each.endsWith(path.join('dist', MAIN)));
    if (main === undefined) return null;
    return { name: path.basename(folder), displayName, folder, works: fs.existsSync(main) && fs.existsSync(argv[0]) };
  } catch {
    return null; // no description, or an unreadable one
  }
}

const below = (prefix: string): string => path.join(prefix, 'share', 'jupyter');

/** Jupyter's folder of data for a place; the rules are those of `jupyter_core.paths`. */
function dataFolder(place: KernelPlace): string {
  if (place.kind === 'user') return userFolder();
  if (place.kind === 'prefix') return below(path.resolve(place.folder));
  const active = process.env.VIRTUAL_ENV ?? process.env.CONDA_PREFIX;
  if (active) return below(active);
  try {
    return below(execFileSync('python3', ['-I', '-c', 'import sys; print(sys.prefix)'], { encoding: 'utf8' }).trim());
  } catch (cause) {
    throw new KitError('Expected an active Python environment, found no python3.', {
      code: 'KERNEL_NO_PYTHON',
      fix: 'Activate the environment of your Jupyter, or use --user or --prefix.',
      cause,
    });
  }
}

function userFolder(): string {
  const { JUPYTER_DATA_DIR: own, XDG_DATA_HOME: data } = process.env;
  if (own) return own;
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library', 'Jupyter');
  return path.join(data || path.join(os.homedir(), '.local', 'share'), 'jupyter');
}
