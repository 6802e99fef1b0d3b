// Loads extensions: files outside the kit that define parts, in TypeScript or JavaScript.
import fs from 'node:fs';
import path from 'node:path';
import { KitError } from '../errors';
import { extensionError } from './load-error';
import { importModule, loadedKits } from './module-loader';
import { packageRoot } from '../home';
import { projectExtensions } from './project';
import { allDefinitions, kitFolder, originText, whileLoading, type Guest } from './registry';

/** Endings of files that can be loaded. */
const ENDINGS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];

/** The text of each extension when it was loaded, by its path. */
const loaded = new Map<string, string>();

/**
 * Loads extensions in order. A file is loaded once in a process, and again after an edit.
 * @param files paths. Default: those of `rifle.extensions` in the nearest package.json.
 * @returns the absolute paths.
 * @throws KitError EXTENSION_MISSING, EXTENSION_FILE_TYPE, EXTENSION_EMPTY for a file without a definition,
 *   EXTENSION_OTHER_KIT, EXTENSION_FAILED for one that throws, or the code of a definition that is not valid. The
 *   message names the file and, where it is known, the line.
 */
export async function loadExtensions(files?: readonly string[]): Promise<string[]> {
  const paths = (files ?? projectExtensions().files).map((file) => existing(path.resolve(file)));
  for (const file of paths) await loadExtension(file);
  return paths;
}

/** The real path of a file that can be loaded. */
function existing(file: string): string {
  const shown = originText({ file, line: null });
  if (fs.statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
    throw new KitError(`The extension ${shown} is not a file.`, {
      code: 'EXTENSION_MISSING',
      fix: 'Correct --extension, or "rifle.extensions" in package.json. Workers and Ray nodes need the same path.',
    });
  if (!ENDINGS.includes(path.extname(file)))
    throw new KitError(`The extension ${shown} is not TypeScript or JavaScript.`, {
      code: 'EXTENSION_FILE_TYPE',
      fix: `Expected one of ${ENDINGS.join(', ')}.`,
    });
  return fs.realpathSync(file);
}

async function loadExtension(file: string): Promise<void> {
  const text = fs.readFileSync(file, 'utf8');
  if (loaded.get(file) === text) return;
  const [known, kits] = [new Set(definedValues()), loadedKits()];
  let exported: unknown;
  try {
    const cached = loaded.has(file) ? undefined : require.cache[file]; // another extension imports it
    exported = cached === undefined ? await whileLoading(file, () => importModule(file, text)) : cached.exports;
  } catch (error) {
    delete require.cache[file]; // else the next try would find a module that did not run to its end
    throw extensionError(file, error);
  }
  const other = loadedKits().find((kit) => !kits.includes(kit));
  if (other !== undefined)
    throw new KitError(`The extension ${originText({ file, line: null })} imports another copy of the kit: ${other}.`, {
      code: 'EXTENSION_OTHER_KIT',
      fix: `This command is of ${packageRoot()}. Run \`npx rifle\` in the folder of the project.`,
    });
  const after = definedValues();
  const isDefined =
    after.some((value) => !known.has(value)) || allDefinitions().some(({ origin }) => origin.file === file);
  if (!isDefined && !Object.values(exported ?? {}).some((value) => after.includes(value)))
    throw new KitError(`The extension ${originText({ file, line: null })} defines nothing.`, {
      code: 'EXTENSION_EMPTY',
      fix: 'Call a function such as defineTrick in it. Keep other files in a folder that no pattern matches.',
    });
  loaded.set(file, text);
}

const definedValues = (): unknown[] => allDefinitions().map(({ definition }) => definition);

/**
 * The files with definitions that a new process of the kit does not know yet, in the order of their definitions: those
 * of the kit's studies, relative to the kit, so that another installation finds its own; and those of the definitions
 * outside the kit for which `isUsed` holds.
 */
export function definitionFiles(isUsed: (definition: Guest) => boolean): string[] {
  const files = allDefinitions().flatMap((each) => {
    const { file, loadedBy } = each.origin;
    if (file === null) return [];
    if (file.startsWith(kitFolder)) return path.relative(kitFolder, file);
    return isUsed(each) ? (loadedBy ?? file) : [];
  });
  return [...new Set(files)].filter((file) => path.isAbsolute(file) || file.startsWith(`studies${path.sep}`));
}

/** Loads files with definitions, as `definitionFiles` gives them. @throws KitError as `loadExtensions`. */
export async function loadDefinitions(files: readonly string[]): Promise<void> {
  for (const file of files) {
    if (path.isAbsolute(file)) await loadExtensions([file]);
    else require(path.resolve(kitFolder, file));
  }
}
