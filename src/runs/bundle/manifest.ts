// The manifest of a bundle: which runs it holds, and the sha256 of each of its files.
import fsp from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { KitError } from '../../base/errors';
import { sha256File } from '../../base/files/file-hash';
import { kitVersion } from '../../base/home';
import { boundedText } from '../store/format/bounded-text';
import { RUN_ID, whyNot } from '../store/format/record-schema';

/** The form of the bundles that this kit writes and reads, see docs/record-format.md. */
export const BUNDLE_FORMAT = 1;

/** Names of the files at the top of a bundle. */
export const [MANIFEST, CRATE] = ['manifest.json', 'ro-crate-metadata.json'];

/** The files of a run that a bundle holds. Weights are not among them. */
export const RUN_FILES = ['record.json', 'layers.json', 'predictions.safetensors', 'best-predictions.safetensors'];

/** Most bytes of a manifest: a hundred thousand runs. */
const MOST = 64e6;

const manifestSchema = z.looseObject({
  format: z.literal(BUNDLE_FORMAT),
  kit: z.string().max(64),
  runs: z.array(z.string().regex(RUN_ID)).min(1).max(100_000),
  /** By path in the bundle: the sha256. The manifest itself is not among them. */
  files: z.record(z.string().max(256), z.string().regex(/^[0-9a-f]{64}$/)),
});

/** What `manifest.json` holds. */
export type Manifest = z.infer<typeof manifestSchema>;

/** The path of a run's file in a bundle. */
export const runPath = (id: string, name = ''): string => `runs/${id}/${name}`;

/** Writes the manifest of the files below `folder`, which holds the runs `ids`. */
export async function writeManifest(folder: string, ids: readonly string[]): Promise<void> {
  const files: Manifest['files'] = {};
  for (const file of await filesBelow(folder)) files[file] = await sha256File(path.join(folder, file));
  const manifest: Manifest = { format: BUNDLE_FORMAT, kit: kitVersion(), runs: [...ids], files };
  await fsp.writeFile(path.join(folder, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`);
}

/**
 * The manifest of an extracted bundle, when all its files are there and as they were written.
 * @param name of the bundle, for errors.
 * @throws KitError BUNDLE_NEWER for a newer form; BUNDLE_DAMAGED for a file that is missing, was changed or was added.
 */
export async function readManifest(folder: string, name: string): Promise<Manifest> {
  const manifest = parsed(boundedText(path.join(folder, MANIFEST), MOST), name);
  const found = new Set((await filesBelow(folder)).filter((file) => file !== MANIFEST));
  const expected = [
    ...new Set([...Object.keys(manifest.files), ...manifest.runs.map((id) => runPath(id, 'record.json'))]),
  ];
  const missing = expected.filter((file) => !found.has(file));
  if (missing.length > 0) throw damagedBundle(name, `${missing[0]} is missing${others(missing)}`);
  const added = [...found].filter((file) => manifest.files[file] === undefined);
  if (added.length > 0) throw damagedBundle(name, `${added[0]} is not in its manifest${others(added)}`);
  for (const [file, sum] of Object.entries(manifest.files))
    if ((await sha256File(path.join(folder, file))) !== sum)
      throw damagedBundle(name, `${file} was changed after it was written`);
  return manifest;
}

function parsed(text: string | null, name: string): Manifest {
  if (text === null) throw damagedBundle(name, `${MANIFEST} is missing`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw damagedBundle(name, `${MANIFEST} is not JSON`, cause);
  }
  const { format, kit } = (document ?? {}) as { format?: unknown; kit?: unknown };
  if (typeof format === 'number' && format > BUNDLE_FORMAT)
    throw new KitError(
      `The bundle ${name} has format ${format}, from rifle-kit ${String(kit).slice(0, 40)}. ` +
        `This is rifle-kit ${kitVersion()}, which reads formats up to ${BUNDLE_FORMAT}.`,
      { code: 'BUNDLE_NEWER', fix: 'Update the kit.' },
    );
  const found = manifestSchema.safeParse(document);
  if (!found.success) throw damagedBundle(name, `${MANIFEST}: ${whyNot(found.error)}`);
  return found.data;
}

/** The error for a bundle whose files are not as they were written. */
export const damagedBundle = (name: string, why: string, cause?: unknown): KitError =>
  new KitError(`The bundle ${name} is damaged: ${why}.`, {
    code: 'BUNDLE_DAMAGED',
    fix: 'Get it again from where it came from.',
    cause,
  });

const others = ({ length }: readonly string[]): string => (length > 1 ? ` (and ${length - 1} more)` : '');

/** Paths of the files below `folder`, with forward slashes, sorted. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await fsp.readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
}
