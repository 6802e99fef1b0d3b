// Weights that their publisher has on a server of its own: their manifests, and what can be told of a file by its name.
import fs from 'node:fs';
import path from 'node:path';
import { makeAtomically } from '../../base/files/atomic';
import { download, type DownloadOptions } from '../../data/fetch/download';
import { mismatch, type WebFile } from '../../data/fetch/remote-file';
import { KitError } from '../../base/errors';
import { kitHome, packageRoot } from '../../base/home';
import type { WeightsFormat, WeightsState } from './store';

/** A weights file on its publisher's server. */
export interface PublishedWeights {
  url: string;
  /** Name of the file. */
  file: string;
  /** Its size in MiB, as published: rounded to 0.001. */
  mebibytes: number;
  /** The first 8 hexadecimal digits of its sha256: all that is published. */
  sha256Prefix: string;
  format: WeightsFormat;
}

/** What a publisher says of its weights: `data-scripts/manifests/weights/<id>.json`. */
export interface PublishedManifest extends PublishedWeights {
  /** Backbone id. */
  id: string;
  licence: string;
  /** Trainable parameters, with the head for ImageNet's classes. */
  parameters: number;
  /** Top-1 on ImageNet, a fraction in [0, 1]. */
  top1: number;
  inputSize: number;
  resizeSize: number;
  interpolation: 'bilinear' | 'bicubic';
  /** Where the weights come from. */
  note: string;
}

/** The manifest of the backbone `id`. */
export function publishedManifest(id: string): PublishedManifest {
  return JSON.parse(
    fs.readFileSync(path.join(packageRoot(), 'data-scripts', 'manifests', 'weights', `${id}.json`), 'utf8'),
  ) as PublishedManifest;
}

/** The file as the downloader knows it. Its size is published in MiB only, to three decimals. */
const webFile = ({ url, file, sha256Prefix }: PublishedWeights): WebFile => ({
  urls: [url],
  file,
  bytes: null,
  sha256: null,
  md5: null,
  sha256Prefix,
});

/** Where the weights of `manifest` are once they are on this machine. */
export const publishedPath = ({ id, file }: PublishedManifest): string => kitHome('weights', id, file);

/** Looks for the weights and hashes them: damaged when the hash does not begin as published. */
export async function publishedState(
  manifest: PublishedManifest,
  { signal }: { signal?: AbortSignal } = {},
): Promise<WeightsState> {
  const file = publishedPath(manifest);
  if (!fs.existsSync(file)) return 'missing';
  return (await mismatch(webFile(manifest), file, signal)) === undefined ? 'ready' : 'damaged';
}

/**
 * Makes the weights ready: nothing to do when they are; else they are downloaded, verified, and put in place.
 * @param options.from a file that the user has fetched: it is verified and copied into place.
 * @throws KitError when the server does not answer or has another file, or `from` is another file.
 */
export async function fetchPublished(
  manifest: PublishedManifest,
  { from, ...options }: DownloadOptions & { from?: string } = {},
): Promise<void> {
  const source = webFile(manifest);
  if (from === undefined) {
    if ((await publishedState(manifest, options)) === 'ready') return;
    const fetched = await download(source, options);
    return makeAtomically(publishedPath(manifest), (partial) => fs.promises.rename(fetched, partial));
  }
  if (!fs.existsSync(from))
    throw new KitError(`There is no file "${from}".`, {
      code: 'WEIGHTS_NOT_FOUND',
      fix: `Fetch ${manifest.url} and give its path.`,
    });
  const wrong = await mismatch(source, from, options.signal);
  if (wrong !== undefined)
    throw new KitError(`The file ${from} is not ${manifest.file}: ${wrong}.`, {
      code: 'WEIGHTS_HASH_MISMATCH',
      fix: `Fetch ${manifest.url} again.`,
    });
  await makeAtomically(publishedPath(manifest), (partial) => fs.promises.copyFile(from, partial));
}

/**
 * The path of the weights, verified; downloaded first when they never were.
 * @throws KitError that says what to fetch by hand, when there is no network; or when what is there is not what it
 *   should be.
 */
export async function requirePublished(manifest: PublishedManifest, options: DownloadOptions = {}): Promise<string> {
  const { id, url, file, mebibytes } = manifest;
  const state = await publishedState(manifest, options);
  if (state === 'damaged') {
    const found = `The weights of ${id} in ${publishedPath(manifest)} are damaged`;
    throw new KitError(`${found}: their sha256 does not begin with ${manifest.sha256Prefix}.`, {
      code: 'WEIGHTS_HASH_MISMATCH',
      fix: `npx rifle weights fetch ${id}`,
    });
  }
  if (state === 'missing') {
    await fetchPublished(manifest, options).catch((cause: Error) => {
      options.signal?.throwIfAborted();
      const wanted = `The weights of ${id} (${file}, ${mebibytes} MiB)`;
      throw new KitError(`${wanted} are not on this machine and cannot be downloaded. ${cause.message}`, {
        code: 'WEIGHTS_NOT_DOWNLOADED',
        fix: `Fetch ${url} elsewhere, then run: npx rifle weights fetch ${id} --from ${file}`,
        cause,
      });
    });
  }
  return publishedPath(manifest);
}

/**
 * A name as torch.hub, torchvision and timm give it: the network, and the first 8 hexadecimal digits of the file's
 * sha256.
 */
const namedHash = /-([0-9a-f]{8})\.(?:pth|pt|safetensors)$/;

/**
 * Refuses a file whose name carries the beginning of a hash that is not its own: `resnet50-0676ba61.pth`. Eight decimal
 * digits count as a date.
 * @throws KitError that names both hashes.
 */
export function requireNamedHash(file: string, sha256: string): void {
  const [, named = ''] = namedHash.exec(path.basename(file)) ?? [];
  if (named === '' || /^\d+$/.test(named) || sha256.startsWith(named)) return;
  throw new KitError(
    `The weights file ${file} is damaged or another one: its sha256 should begin with ${named}, found ${sha256}.`,
    {
      code: 'WEIGHTS_HASH_MISMATCH',
      fix: 'Fetch it again; or, if it is the right file, give it a name without that hash.',
    },
  );
}
