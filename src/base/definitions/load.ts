// Makes the definitions of one process known in another: a worker, or a job on a cluster.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { definitionFilesOf, kitFolder } from './registry';

/**
 * The files with definitions that a new process of the kit does not know yet: those of studies. Files of the kit are
 * relative to it, so that another installation finds its own.
 */
export const definitionFiles = (): string[] =>
  definitionFilesOf()
    .map((file) => (file.startsWith(kitFolder) ? path.relative(kitFolder, file) : file))
    .filter((file) => path.isAbsolute(file) || file.startsWith(`studies${path.sep}`));

/** Loads files with definitions, as `definitionFiles` gives them. */
export async function loadDefinitions(files: readonly string[]): Promise<void> {
  for (const file of files) await import(pathToFileURL(path.resolve(kitFolder, file)).href);
}
