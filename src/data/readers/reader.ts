// What a reader of a data set's official layout is, and the small pieces that several of them share.
import { KitError } from '../../base/errors';
import type { FileTree } from './formats/file-tree';

/** One image that a reader has found. */
export interface Found {
  /** Its path in the tree. */
  from: string;
  /** Its path in the official archive, whatever stood before it in the tree: what the prepared data set calls it. */
  file: string;
  label: number;
}

/** What a reader finds. */
export interface Reading {
  train: Found[];
  test: Found[];
  /** The classes' names as the files have them, in the order of the labels; null when they have none. */
  classes: string[] | null;
}

/** Knows one data set's layout. */
export interface DatasetReader {
  /** Whether a file of an archive is needed, by its path there (forward slashes). */
  wants(file: string): boolean;
  /** Whether a file that is needed is an archive whose content is meant. */
  nested?(file: string): boolean;
  /**
   * Both splits. Whether the images exist is not looked at.
   * @throws KitError that says which list is missing or has a wrong form.
   */
  read(tree: FileTree): Promise<Reading>;
}

/** The last part of a path. */
export const baseName = (file: string): string => file.slice(file.lastIndexOf('/') + 1);

/**
 * A path that a list gives, once it is one that stays inside the data set: no empty parts, no `..`, no backslash,
 * nothing absolute.
 * @throws KitError that names it.
 */
export function listedPath(listed: string, list: string): string {
  const parts = listed.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || /[\\\0:]/.test(part))) {
    throw new KitError(`The list ${list} names ${JSON.stringify(listed)}, which is no path inside the data set.`, {
      code: 'DATASET_LIST_INVALID',
    });
  }
  return listed;
}

/**
 * A whole number of a list, in [1, most].
 * @throws KitError that names it.
 */
export function listedNumber(listed: string | number | undefined, most: number, list: string): number {
  const number = typeof listed === 'string' ? (/^\d+(\.0+)?$/.test(listed) ? Number(listed) : NaN) : (listed ?? NaN);
  if (!Number.isInteger(number) || number < 1 || number > most)
    throw new KitError(
      `The list ${list} has ${JSON.stringify(listed ?? null)} where a whole number from 1 to ${most} is expected.`,
      { code: 'DATASET_LIST_INVALID' },
    );
  return number;
}
