// Extensions on the command line: only commands that make runs load them, and they print which.
import path from 'node:path';
import { Option } from 'commander';
import { warn } from '../print';

/** Flags of a command that loads extensions. */
export interface ExtensionFlags {
  extension?: string[];
}

/** `--extension FILE`, which may be repeated. */
export const extensionOption = (): Option =>
  new Option(
    '--extension <file>',
    'load a TypeScript or JavaScript file with definitions, after rifle.extensions of package.json (repeatable)',
  ).argParser((file: string, before: string[] | undefined) => [...(before ?? []), file]);

/**
 * Loads the extensions of the project that the command stands in, then those of the flag. Prints one line with their
 * names on stderr, before any of them runs.
 * @throws KitError as `loadExtensions`.
 */
export async function loadForRuns({ extension = [] }: ExtensionFlags): Promise<void> {
  const { projectExtensions } = await import('../../base/definitions/project.js');
  const { files, unmatched, description } = projectExtensions();
  const shown = (file: string): string => path.relative(process.cwd(), file) || file;
  if (unmatched.length > 0)
    warn(`No file matches ${unmatched.join(', ')} (rifle.extensions in ${shown(description!)}).`);
  const all = [...new Set([...files, ...extension.map((file) => path.resolve(file))])];
  if (all.length === 0) return;
  process.stderr.write(`Extensions: ${all.map(shown).join(', ')}\n`);
  const { loadExtensions } = await import('../../base/definitions/load.js');
  await loadExtensions(all);
}
