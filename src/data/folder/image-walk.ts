// Lists the images below folders of a data set: every real file and folder at most once, also with links.
import type { Dirent, Stats } from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { KitError } from '../../base/errors';
import { quoted } from '../../base/visible';
import { IMAGE_ENDINGS } from '../pixels/image';

/** Most files and folders of a data set. */
const MOST_ENTRIES = 5_000_000;

/** The images of one folder. */
export interface ImageList {
  /** Relative to the data set's root, with forward slashes, sorted. */
  images: string[];
  /** Number of files that are no images. */
  others: number;
}

/** What an entry of a folder is, once its link (if it is one) is followed. */
interface Entry {
  name: string;
  /** Relative to the data set's root. */
  file: string;
  /** Without any link in it. */
  real: string;
  kind: 'folder' | 'file' | 'other';
}

/**
 * Lists folders of the data set in `root`. Hidden entries are left out. A link to a file or folder counts as what it
 * leads to, and everything counts once: what is met a second time, through a link, is refused, because an image
 * would be in two classes or splits (and a link to a folder above itself would never end).
 */
export class ImageWalk {
  /** Real paths that were met, with the names by which they were. */
  private readonly met = new Map<string, string>();
  private entries = 0;

  constructor(private readonly root: string) {}

  /**
   * The folders in `folder` (relative to the root; empty for the root itself), by name, sorted by UTF-16 code units.
   * @throws KitError as `list`.
   */
  async folders(folder: string): Promise<string[]> {
    const real = await this.realPath(folder);
    const entries = await this.read(folder, real);
    return entries.filter(({ kind }) => kind === 'folder').map(({ name }) => name);
  }

  /**
   * The images below `folder` (relative to the root).
   * @throws KitError `DATASET_LINK_BROKEN`, `DATASET_LINK_TWICE`, `DATASET_NOT_A_FILE`, `DATASET_NAME_NOT_UTF8`,
   *   `DATASET_TOO_LARGE`, `DATASET_UNREADABLE`: each names the entry.
   */
  async list(folder: string): Promise<ImageList> {
    const found: ImageList = { images: [], others: 0 };
    await this.visit(folder, await this.realPath(folder), found);
    found.images.sort();
    return found;
  }

  private async visit(folder: string, real: string, found: ImageList): Promise<void> {
    this.meet(folder, real);
    for (const entry of await this.read(folder, real)) {
      const isImage = IMAGE_ENDINGS.includes(path.extname(entry.name).toLowerCase());
      if (entry.kind === 'folder') await this.visit(entry.file, entry.real, found);
      else if (!isImage) found.others++;
      else if (entry.kind === 'file') {
        this.meet(entry.file, entry.real);
        found.images.push(entry.file);
      } else {
        throw this.refuse(
          'DATASET_NOT_A_FILE',
          `${quoted(entry.file)} has the name of an image, but is a pipe, a socket or a device.`,
          'Delete it.',
        );
      }
    }
  }

  /** Notes a real path. @throws KitError when it was met before. */
  private meet(file: string, real: string): void {
    const before = this.met.get(real);
    if (before !== undefined) {
      throw this.refuse(
        'DATASET_LINK_TWICE',
        `${quoted(before)} and ${quoted(file)} are the same, because of a symbolic link.`,
        'Delete the link, or replace it by a copy: each image belongs to one class and one split.',
      );
    }
    this.met.set(real, file);
  }

  /** The entries of a folder that are not hidden, sorted by name. */
  private async read(folder: string, real: string): Promise<Entry[]> {
    const raw: Dirent<Buffer>[] = await fsp
      .readdir(real, { withFileTypes: true, encoding: 'buffer' })
      .catch((cause: unknown) => Promise.reject(this.unreadable(folder, cause)));
    this.entries += raw.length;
    if (this.entries > MOST_ENTRIES) {
      throw this.refuse(
        'DATASET_TOO_LARGE',
        `it has more than ${MOST_ENTRIES} files and folders.`,
        'Give a folder that holds the data set only.',
      );
    }
    const entries: Entry[] = [];
    for (const entry of raw) {
      const name = entry.name.toString('utf8');
      if (name.startsWith('.')) continue;
      const file = folder === '' ? name : `${folder}/${name}`;
      if (!Buffer.from(name).equals(entry.name)) {
        throw this.refuse(
          'DATASET_NAME_NOT_UTF8',
          `the name of ${quoted(`${folder === '' ? '' : `${folder}/`}${entry.name.toString('latin1')}`)} is not UTF-8.`,
          'Rename it (on Linux, `convmv -f latin1 -t utf8 -r --notest FOLDER` renames all files of a folder).',
        );
      }
      entries.push({ name, file, ...(await this.follow(entry, file, path.join(real, name))) });
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /** Where an entry leads to. */
  private async follow(entry: Dirent<Buffer>, file: string, at: string): Promise<Pick<Entry, 'real' | 'kind'>> {
    if (!entry.isSymbolicLink()) return { real: at, kind: kindOf(entry) };
    try {
      const real = await fsp.realpath(at);
      return { real, kind: kindOf(await fsp.stat(real)) };
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ELOOP' && code !== 'ENOTDIR') throw this.unreadable(file, cause);
      const target = await fsp.readlink(at).catch(() => '?');
      const why = code === 'ELOOP' ? 'which leads back to itself' : 'which does not exist';
      throw this.refuse(
        'DATASET_LINK_BROKEN',
        `${quoted(file)} is a link to ${quoted(target)}, ${why}.`,
        'Delete the link, or restore the file that it leads to.',
        cause,
      );
    }
  }

  private async realPath(folder: string): Promise<string> {
    return fsp.realpath(path.join(this.root, folder)).catch((cause: unknown) => {
      throw this.unreadable(folder, cause);
    });
  }

  private unreadable(file: string, cause: unknown): KitError {
    const { code = String(cause) } = cause as NodeJS.ErrnoException;
    return this.refuse(
      'DATASET_UNREADABLE',
      `${file === '' ? 'it' : quoted(file)} cannot be read (${code}).`,
      code === 'ENAMETOOLONG' ? 'Use shorter names.' : 'Check that it exists and that you may read it.',
      cause,
    );
  }

  private refuse(code: string, why: string, fix: string, cause?: unknown): KitError {
    return new KitError(`The data set folder ${this.root} is refused: ${why}`, { code, fix, cause });
  }
}

const kindOf = (entry: Dirent<Buffer> | Stats): Entry['kind'] =>
  entry.isDirectory() ? 'folder' : entry.isFile() ? 'file' : 'other';
