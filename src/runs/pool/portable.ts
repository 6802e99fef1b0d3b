// What other processes load to make a run: the files of its definitions. Cells have none.
import fs from 'node:fs';
import { definitionFiles } from '../../base/definitions/load';
import { guests, type Guest } from '../../base/definitions/registry';
import { KitError } from '../../base/errors';
import { methods } from '../../transfer/methods';
import { partsOf } from '../../transfer/spec/parts';
import type { RunSpec } from '../../transfer/spec/spec';

/** @throws KitError DEFINITION_WITHOUT_FILE for a spec that uses a definition of a notebook cell or a deleted file. */
export function requireFiles(specs: readonly RunSpec[]): void {
  const without = guests().filter(
    ({ origin: { file, loadedBy = file } }) => loadedBy === null || !fs.existsSync(loadedBy),
  );
  if (without.length === 0) return;
  for (const spec of specs) {
    const used = usedBy(spec);
    const found = without.find(({ kind, name }) => used.has(keyOf(kind, name)));
    if (found !== undefined) throw refusal(found);
  }
}

/** The files that another process loads before a run of `spec`, see `definitionFiles`. */
export function filesFor(spec: RunSpec): string[] {
  const used = usedBy(spec);
  return definitionFiles(({ kind, name }) => used.has(keyOf(kind, name)));
}

/** The definitions that a run of `spec` needs. */
const usedBy = (spec: RunSpec): Set<string> =>
  new Set([
    ...partsOf(spec).map(({ part, registry }) => keyOf(registry.kind, part.name)),
    keyOf('backbone', spec.backbone),
    keyOf('data set', spec.dataset),
    keyOf('method', methods.nameOf(spec)), // a record has its name
  ]);

const keyOf = (kind: string, name: string): string => `${kind} ${name}`;

function refusal({ kind, name, origin: { file } }: Guest): KitError {
  const where = file === null ? 'exists only in a notebook cell' : `was defined in ${file}, which no longer exists`;
  const target = `extensions/${name
    .split('/')
    .at(-1)!
    .replace(/[^\w.-]+/g, '-')}.ts`;
  return new KitError(`The ${kind} "${name}" ${where}. Worker processes and Ray jobs cannot load it.`, {
    code: 'DEFINITION_WITHOUT_FILE',
    fix: `Move it to ${target} and import that file in a cell, or make the runs in this process with \`runAll\`.`,
  });
}
