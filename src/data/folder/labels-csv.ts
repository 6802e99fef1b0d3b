// Reads `labels.csv`: one row an image, with its label and, if wanted, its split and its group.
import fsp from 'node:fs/promises';
import path from 'node:path';
import { KitError } from '../../base/errors';
import { mapConcurrently } from '../../base/files/concurrently';
import { quoted } from '../../base/visible';
import type { Dataset, Sample } from '../dataset';
import { splitByRule } from '../splits';
import { parseCsv } from './csv';

/** Name of the file in a data set's folder. */
export const LABELS_FILE = 'labels.csv';

const COLUMNS = ['file', 'label', 'split', 'group'] as const;
const LAYOUT = 'Its first line names the columns: file,label and, if wanted, split (train, val, test) and group.';
const MOST_BYTES = 256 * 2 ** 20;

const SPLITS: Readonly<Record<string, 'train' | 'validation' | 'test'>> = {
  train: 'train',
  val: 'validation',
  valid: 'validation',
  validation: 'validation',
  test: 'test',
};

interface Row {
  file: string;
  label: string;
  split: 'train' | 'validation' | 'test' | null;
  group: string;
  line: number;
}

/** What a folder's images are and how they are split. */
export type Samples = Pick<Dataset, 'classes' | 'train' | 'validation' | 'test' | 'groups' | 'split'>;

/**
 * The samples that `labels.csv` in `root` lists. Classes are the labels, sorted. Without a column `split`, the kit
 * splits by `splitByRule`.
 * @throws KitError `LABELS_INVALID` for the columns, a row or a split that is wrong, with its line;
 *   `LABELS_DUPLICATE`; `LABELS_FILE_MISSING`; `LABELS_GROUP_DIVIDED` for a group in two splits; those of
 *   `splitByRule`.
 */
export async function readLabels(root: string, signal?: AbortSignal): Promise<Samples> {
  const at = path.join(root, LABELS_FILE);
  const { size } = await fsp.stat(at);
  if (size > MOST_BYTES) throw invalid(root, `has ${size} bytes: more than ${MOST_BYTES}`);
  const rows = readRows(root, (await fsp.readFile(at, 'utf8')).replace(/^\uFEFF/, ''));
  await requireFiles(root, rows, signal);
  const classes = [...new Set(rows.map(({ label }) => label))].sort();
  if (classes.length < 2)
    throw invalid(root, `has one label only, ${quoted(classes[0] ?? '')}: a classifier needs at least two`);
  const labels = new Map(classes.map((name, label) => [name, label]));
  const toSamples = (list: readonly Row[]): Sample[] =>
    list.map(({ file, label }) => ({ file, label: labels.get(label)! })).sort((a, b) => (a.file < b.file ? -1 : 1));
  const grouped = rows.filter(({ group }) => group !== '');
  const groups = grouped.length > 0 ? Object.fromEntries(grouped.map(({ file, group }) => [file, group])) : undefined;
  if (rows[0].split === null) return { classes, groups, ...splitByRule(toSamples(rows), { groups }) };
  requireWholeGroups(root, rows);
  const inSplit = (split: Row['split']): Row[] => rows.filter((row) => row.split === split);
  for (const split of ['train', 'test'] as const) {
    const present = new Set(inSplit(split).map(({ label }) => label));
    const lacking = classes.find((name) => !present.has(name));
    if (lacking !== undefined) throw invalid(root, `has no image of the label ${quoted(lacking)} in "${split}"`);
  }
  const validation = inSplit('validation');
  return {
    classes,
    groups,
    train: toSamples(inSplit('train')),
    ...(validation.length > 0 && { validation: toSamples(validation) }),
    test: toSamples(inSplit('test')),
  };
}

const invalid = (root: string, why: string, line?: number): KitError =>
  new KitError(`${line === undefined ? '' : `Line ${line} of `}${path.join(root, LABELS_FILE)} ${why}.`, {
    code: 'LABELS_INVALID',
    fix: LAYOUT,
  });

/** The rows, each checked alone; and that no file comes twice. */
function readRows(root: string, text: string): Row[] {
  const [head, ...body] = parseCsv(text, (line) => invalid(root, 'has a quotation mark that does not end', line));
  const columns = head?.values.map((name) => name.trim().toLowerCase()) ?? [];
  const unknown = columns.find((name) => !(COLUMNS as readonly string[]).includes(name));
  if (unknown !== undefined) throw invalid(root, `has the unknown column ${quoted(unknown)}`, 1);
  const missing = ['file', 'label'].find((name) => !columns.includes(name));
  if (missing !== undefined) throw invalid(root, `has no column "${missing}"`, 1);
  if (new Set(columns).size < columns.length) throw invalid(root, 'names a column twice', 1);
  if (body.length === 0) throw invalid(root, 'has no rows');
  const lines = new Map<string, number>();
  return body.map(({ values, line }) => {
    if (values.length !== columns.length)
      throw invalid(root, `has ${values.length} values, where there are ${columns.length} columns`, line);
    const value = (name: string): string => values[columns.indexOf(name)]?.trim() ?? '';
    const file = value('file').replace(/^(\.\/)+/, '');
    if (file.split('/').some((name) => ['', '.', '..'].includes(name)) || /[\\\0]/.test(file))
      throw invalid(root, `names ${quoted(file)}, which is no path inside the data set`, line);
    if (value('label') === '') throw invalid(root, `gives ${quoted(file)} no label`, line);
    const split = columns.includes('split') ? (SPLITS[value('split').toLowerCase()] ?? undefined) : null;
    if (split === undefined)
      throw invalid(root, `has the split ${quoted(value('split'))}; known are train, val and test`, line);
    const before = lines.get(file);
    if (before !== undefined) {
      throw new KitError(`Line ${line} of ${path.join(root, LABELS_FILE)} names ${quoted(file)} again.`, {
        code: 'LABELS_DUPLICATE',
        fix: `It is in line ${before} already: delete one of the two lines.`,
      });
    }
    lines.set(file, line);
    return { file, label: value('label'), split, group: value('group'), line };
  });
}

async function requireFiles(root: string, rows: readonly Row[], signal?: AbortSignal): Promise<void> {
  const isFile = async ({ file }: Row): Promise<boolean> =>
    fsp.stat(path.join(root, file)).then(
      (stat) => stat.isFile(),
      () => false,
    );
  const exists = await mapConcurrently(rows, 16, isFile, signal);
  const missing = rows.filter((_, i) => !exists[i]);
  if (missing.length === 0) return;
  const names = missing.slice(0, 3).map(({ file, line }) => `${quoted(file)} (line ${line})`);
  throw new KitError(
    `${path.join(root, LABELS_FILE)} names ${missing.length} files that are missing or no regular files: ` +
      `${names.join(', ')}${missing.length > 3 ? ' ...' : ''}.`,
    { code: 'LABELS_FILE_MISSING', fix: `Paths are relative to ${root}. Add the files, or delete the lines.` },
  );
}

function requireWholeGroups(root: string, rows: readonly Row[]): void {
  const first = new Map<string, Row>();
  for (const row of rows) {
    if (row.group === '') continue;
    const before = first.get(row.group) ?? row;
    first.set(row.group, before);
    if (before.split !== row.split) {
      throw new KitError(
        `${path.join(root, LABELS_FILE)} puts the group ${quoted(row.group)} into two splits: ` +
          `${before.split} (line ${before.line}) and ${row.split} (line ${row.line}).`,
        { code: 'LABELS_GROUP_DIVIDED', fix: 'Put all images of a group into one split.' },
      );
    }
  }
}
