// The files of a data set before it is read: wherever they lie on disk, by the paths that they have in their archives.
import fsp from 'node:fs/promises';
import path from 'node:path';
import { KitError } from '../../../base/errors';

/** Most files of a tree, and most bytes of a list in it. */
const MOST_FILES = 2_000_000;
const LIST_BYTES = 64 * 2 ** 20;

/** Whether a path is of those that systems leave behind: hidden, or a Mac's. */
const isLeftover = (name: string): boolean => name.startsWith('.') || name === '__MACOSX';

/** Files by their paths (forward slashes, relative); two folders may lie one beside the other in it. */
export class FileTree {
  private readonly files = new Map<string, string>();
  private sorted: string[] | undefined;

  /**
   * All files below `folder`, without hidden ones, as `<prefix><path>`.
   * @throws KitError when there are more than two million.
   */
  async add(folder: string, prefix = ''): Promise<this> {
    this.sorted = undefined;
    const visit = async (inside: string, depth: number): Promise<void> => {
      for (const entry of await fsp.readdir(path.join(folder, inside), { withFileTypes: true })) {
        if (isLeftover(entry.name)) continue;
        const file = inside === '' ? entry.name : `${inside}/${entry.name}`;
        if (entry.isDirectory()) {
          if (depth < 16) await visit(file, depth + 1);
        } else if (entry.isFile()) this.files.set(`${prefix}${file}`, path.join(folder, file));
        if (this.files.size > MOST_FILES)
          throw new KitError(`The folder ${folder} has more than ${MOST_FILES} files.`, {
            code: 'DATASET_TOO_LARGE',
            fix: 'Give a folder that holds the data set only.',
          });
      }
    };
    await visit('', 0);
    return this;
  }

  /** All paths, sorted by UTF-16 code units. */
  get paths(): readonly string[] {
    return (this.sorted ??= [...this.files.keys()].sort());
  }

  has(file: string): boolean {
    return this.files.has(file);
  }

  /** Where a file lies on disk. */
  at(file: string): string {
    return this.files.get(file)!;
  }

  /**
   * What stands before `file` in the tree: `''`, or a path that ends in a slash. The shortest, where there are several.
   * @throws KitError that says what is missing.
   */
  before(...files: string[]): string {
    const [first, ...others] = files;
    const fitting = this.paths
      .filter((candidate) => candidate === first || candidate.endsWith(`/${first}`))
      .map((candidate) => candidate.slice(0, candidate.length - first.length))
      .filter((prefix) => others.every((other) => this.has(`${prefix}${other}`)));
    if (fitting.length > 0)
      return fitting.reduce((shortest, prefix) => (prefix.length < shortest.length ? prefix : shortest));
    const missing = files.find(
      (file) => !this.paths.some((candidate) => candidate === file || candidate.endsWith(`/${file}`)),
    );
    throw new KitError(
      missing === undefined ? `${files.join(' and ')} are not in one folder.` : `The file ${missing} is missing.`,
      { code: 'DATASET_FILE_MISSING' },
    );
  }

  /** The bytes of a list. @throws KitError when it is too large for one. */
  async bytes(file: string): Promise<Buffer> {
    const { size } = await fsp.stat(this.at(file));
    if (size > LIST_BYTES)
      throw new KitError(`The list ${file} has ${size} bytes: more than any that is known.`, {
        code: 'DATASET_LIST_INVALID',
      });
    return fsp.readFile(this.at(file));
  }

  /** A list of lines: those that are not empty, trimmed, with their numbers (from 1). */
  async lines(file: string): Promise<{ line: string; number: number }[]> {
    const text = (await this.bytes(file)).toString('utf8').replace(/^\uFEFF/, '');
    return text
      .split(/\r\n|\r|\n/)
      .map((line, index) => ({ line: line.trim(), number: index + 1 }))
      .filter(({ line }) => line !== '');
  }
}
