// The extensions of a project: `"rifle": { "extensions": ["./extensions/*.ts"] }` in its package.json.
import fs from 'node:fs';
import path from 'node:path';
import { globSync, isDynamicPattern } from 'tinyglobby';
import { z } from 'zod';
import { KitError } from '../errors';

/** The extensions of a project. */
export interface ProjectExtensions {
  /** The package.json that lists them; `null` when there is none. */
  description: string | null;
  /** Absolute paths, in the order of the list; the matches of one pattern by name. */
  files: string[];
  /** Patterns without a match. */
  unmatched: string[];
}

const schema = z.object({ rifle: z.object({ extensions: z.array(z.string()).default([]) }).optional() });

/**
 * The extensions of the nearest package.json, from `folder` upward. Nothing is loaded. Declarations (`.d.ts`) and
 * packages do not count. A name without a wildcard is in `files` whether it exists or not.
 * @throws KitError PROJECT_FILE for a package.json that cannot be read.
 */
export function projectExtensions(folder: string = process.cwd()): ProjectExtensions {
  const description = nearestDescription(path.resolve(folder));
  if (description === null) return { description, files: [], unmatched: [] };
  const cwd = path.dirname(description);
  const unmatched: string[] = [];
  const files = patternsOf(description).flatMap((pattern) => {
    const file = path.resolve(cwd, pattern);
    if (!isDynamicPattern(pattern) || fs.existsSync(file)) return [file];
    const found = globSync(pattern, { cwd, absolute: true, ignore: ['**/*.d.{ts,mts,cts}', '**/node_modules/**'] });
    if (found.length === 0) unmatched.push(pattern);
    return found.map((file) => path.resolve(file)).sort();
  });
  return { description, files: [...new Set(files)], unmatched };
}

/** The path of the nearest package.json, from `folder` upward; `null` when there is none. */
export function nearestDescription(folder: string): string | null {
  const file = path.join(folder, 'package.json');
  if (fs.existsSync(file)) return file;
  const parent = path.dirname(folder);
  return parent === folder ? null : nearestDescription(parent);
}

function patternsOf(description: string): string[] {
  const refuse = (found: string, cause?: unknown): KitError =>
    new KitError(`${path.relative(process.cwd(), description) || description}: ${found}`, {
      code: 'PROJECT_FILE',
      fix: 'Expected for example: "rifle": { "extensions": ["./extensions/*.ts"] }.',
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(fs.readFileSync(description, 'utf8'));
  } catch (cause) {
    throw refuse(`the file is not valid JSON: ${(cause as Error).message}`, cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data.rifle?.extensions ?? [];
  const [{ path: at, message }] = parsed.error.issues;
  throw refuse(`the field "${at.map(String).join('.')}" is not valid: ${message}.`);
}
