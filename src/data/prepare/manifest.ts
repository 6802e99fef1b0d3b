// The manifests of the data sets: what the files in data-scripts/manifests/datasets say, checked field by field.
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { KitError } from '../../base/errors';
import { packageRoot } from '../../base/home';
import { quoted } from '../../base/visible';
import type { DatasetSpec } from '../dataset';

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const fileName = z.string().regex(/^[^/\\]+$/);
const count = z.number().int().positive();

const packageFile = z.strictObject({
  package: z.strictObject({ registry: z.enum(['pypi', 'npm']), name: z.string().min(1), version: z.string().min(1) }),
  file: fileName,
  bytes: count,
  sha256: hex(64),
});

const webFile = z.strictObject({
  urls: z.array(z.url({ protocol: /^https?$/ })).min(1),
  file: fileName,
  bytes: count.nullable(),
  sha256: hex(64).nullable(),
  md5: hex(32).nullable(),
  sha1: hex(40).optional(),
  byHand: z.string().min(1).optional(),
});

const manifestSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*(\/[a-z0-9][a-z0-9._-]*)?$/),
  title: z.string().min(1),
  classes: z.array(z.string().min(1)).min(2),
  files: z.array(z.union([packageFile, webFile])).min(1),
  counts: z.strictObject({ train: count, test: count }),
  perClass: z.strictObject({ train: count.optional(), test: count.optional() }).optional(),
  metric: z.literal('meanPerClass').optional(),
  licence: z.string().min(1),
  citation: z.string().min(1),
  reader: z.string().min(1),
  note: z.string().optional(),
});

/** The spec in a value, checked field by field; or which fields are wrong, in words. */
export function parseManifest(value: unknown): { spec: DatasetSpec } | { problem: string } {
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return { spec: parsed.data };
  const issues = parsed.error.issues.map(({ path: at, message }) => `${at.join('.') || 'it'}: ${message}`);
  return { problem: issues.join('; ') };
}

/**
 * The spec in a manifest file. `"extends": "<name>"` takes every field that is not given from the manifest of that name
 * beside it, which extends none itself.
 * @throws KitError `DATASET_MANIFEST_INVALID` that says which field is wrong.
 */
export function readManifest(file: string): DatasetSpec {
  let problem: string;
  try {
    const parsed = parseManifest(readExtended(file));
    if ('spec' in parsed && parsed.spec.name === path.basename(file, '.json')) return parsed.spec;
    problem = 'spec' in parsed ? `name: it must be the file's, found ${quoted(parsed.spec.name)}` : parsed.problem;
  } catch (error) {
    problem = (error as Error).message;
  }
  throw new KitError(`The manifest ${file} is not valid: ${problem}.`, { code: 'DATASET_MANIFEST_INVALID' });
}

function readExtended(file: string): unknown {
  const read = (from: string) => JSON.parse(fs.readFileSync(from, 'utf8')) as Record<string, unknown>;
  const own = read(file);
  if (typeof own.extends !== 'string') return own;
  const { extends: base, ...fields } = own;
  return { ...read(path.join(path.dirname(file), `${path.basename(base as string)}.json`)), ...fields };
}

let manifests: DatasetSpec[] | undefined;

/** What the catalog knows, sorted by name: a copy. */
export function readManifests(): DatasetSpec[] {
  if (manifests === undefined) {
    const folder = path.join(packageRoot(), 'data-scripts', 'manifests', 'datasets');
    const files = fs.readdirSync(folder).filter((name) => name.endsWith('.json'));
    const order = new Intl.Collator('en', { numeric: true });
    manifests = files
      .map((name) => readManifest(path.join(folder, name)))
      .sort((a, b) => order.compare(a.name, b.name));
  }
  return structuredClone(manifests);
}
