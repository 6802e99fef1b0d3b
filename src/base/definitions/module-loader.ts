// Imports a file in TypeScript or JavaScript. What it imports of `rifle-kit` is the kit of this process.
import fs from 'node:fs';
import path from 'node:path';
import type { createJiti } from 'jiti';
import { packageRoot } from '../home';

let jiti: Promise<ReturnType<typeof createJiti>> | undefined;

/** The exports of `file`, an absolute path, whose text is `source`. Types are removed, not checked. */
export async function importModule(file: string, source: string): Promise<Record<string, unknown>> {
  jiti ??= import('jiti').then(({ createJiti }) =>
    createJiti(path.join(packageRoot(), 'package.json'), {
      virtualModules: kitEntries(),
      interopDefault: false,
      fsCache: false, // transforming a file takes milliseconds, and workers would write the same cache at once
    }),
  );
  // Without `forceTranspile` JavaScript would be imported by Node, which may find another copy of the kit.
  const exported = await (await jiti).evalModule(source, { filename: file, async: true, forceTranspile: true });
  return (exported ?? {}) as Record<string, unknown>;
}

/** The folders of the copies of the kit that this process has loaded. */
export function loadedKits(): string[] {
  const registry = path.join(path.sep, 'dist', 'src', 'base', 'definitions', 'registry.js');
  return Object.keys(require.cache)
    .filter((file) => file.endsWith(registry))
    .map((file) => file.slice(0, -registry.length));
}

/**
 * The entries of this kit by the names that users import. A second copy of the kit beside the file would have
 * registries of its own.
 */
function kitEntries(): Record<string, unknown> {
  const description = fs.readFileSync(path.join(packageRoot(), 'package.json'), 'utf8');
  const { name, exports } = JSON.parse(description) as {
    name: string;
    exports: Record<string, string | { default: string }>;
  };
  const entries: Record<string, unknown> = {};
  for (const [entry, target] of Object.entries(exports))
    if (typeof target === 'object')
      Object.defineProperty(entries, name + entry.slice(1), {
        enumerable: true,
        get: () => require(path.join(packageRoot(), target.default)) as unknown,
      });
  return entries;
}
