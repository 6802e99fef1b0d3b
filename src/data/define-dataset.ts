// Defines a data set outside the kit: a manifest that says what its files are, and a reader that finds the images.
import { callSite } from '../base/definitions/registry';
import { KitError } from '../base/errors';
import { quoted } from '../base/visible';
import type { DatasetSpec } from './dataset';
import { registerDataset } from './definitions';
import { parseManifest } from './prepare/manifest';
import { readers } from './readers';
import type { DatasetReader } from './readers/reader';

/** A data set of a study's own. */
export interface DatasetDefinition {
  /** With a slash, for example `jdoe/cells`: it can never be one of the kit's names. */
  name: string;
  /** From 1. Raise it when the reader finds other images or labels: the data set is then prepared again. */
  version: number;
  /** Title, classes, files with their hashes, counts, licence, citation: see `DatasetSpec`. */
  manifest: Omit<DatasetSpec, 'name' | 'reader'>;
  /** Finds images and labels in the unpacked files; or the name of one of the kit's readers. */
  reader: DatasetReader | string;
}

/**
 * Makes a data set known to `datasets` by its name: it is then downloaded, verified, extracted, counted and hashed like
 * those of the kit. Defining it again in the same file or notebook cell replaces it.
 * @returns its spec; `spec.name` is what a run's spec names.
 * @throws KitError `DATASET_DEFINITION_INVALID` for a name without a slash, a version below 1, a field of the manifest
 *   that is wrong or an unknown reader; `DATASET_NAME_TAKEN` when the name is defined elsewhere.
 */
export function defineDataset(definition: DatasetDefinition): DatasetSpec {
  const { name, version, manifest, reader } = definition;
  const refuse = (why: string, fix: string): KitError =>
    new KitError(`The definition of the data set ${quoted(String(name))} is not valid: ${why}.`, {
      code: 'DATASET_DEFINITION_INVALID',
      fix,
    });
  if (!/^[a-z0-9][a-z0-9._-]*\/[a-z0-9][a-z0-9._-]*$/.test(name))
    throw refuse('its name must be two words with a slash between', 'Name it as in "jdoe/cells", in lower case.');
  if (!Number.isInteger(version) || version < 1)
    throw refuse(`its version must be a whole number from 1, found ${version}`, 'Begin with version 1.');
  const isName = typeof reader === 'string';
  if (
    isName ? !Object.hasOwn(readers, reader) : typeof reader?.wants !== 'function' || typeof reader.read !== 'function'
  )
    throw refuse(
      isName ? `there is no reader ${quoted(reader)}` : 'its reader has no functions `wants` and `read`',
      `Give an object with \`wants(file)\` and \`read(tree)\`, or one of: ${Object.keys(readers).join(', ')}.`,
    );
  const parsed = parseManifest({ ...manifest, name, reader: `${isName ? reader : name}@${version}` });
  if ('problem' in parsed) throw refuse(parsed.problem, 'See `DatasetSpec` for what each field means.');
  registerDataset({ spec: parsed.spec, reader: isName ? readers[reader] : reader }, callSite(defineDataset));
  return structuredClone(parsed.spec);
}
