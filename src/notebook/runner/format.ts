// Notebook files: read, checked, and written as nbformat 4.5 in the form that Jupyter itself writes.
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { makeAtomically } from '../../base/files/atomic';
import { KitError } from '../../base/errors';

/** Text in nbformat: one string, or lines with their line ends. */
export type MultilineText = string | string[];

/** A MIME bundle: one value in several forms, by media type. */
export type MimeBundle = Record<string, unknown>;

/** An output of a cell. */
export type CellOutput =
  | { output_type: 'stream'; name: string; text: MultilineText }
  | { output_type: 'display_data'; data: MimeBundle; metadata: Record<string, unknown> }
  | {
      output_type: 'execute_result';
      data: MimeBundle;
      metadata: Record<string, unknown>;
      execution_count: number | null;
    }
  | { output_type: 'error'; ename: string; evalue: string; traceback: string[] };

/** A cell; code cells have outputs. */
export interface NotebookCell {
  id?: string;
  cell_type: 'code' | 'markdown' | 'raw';
  metadata: Record<string, unknown> & { tags?: string[] };
  source: MultilineText;
  outputs?: CellOutput[];
  execution_count?: number | null;
}

/** A notebook file. */
export interface Notebook {
  cells: NotebookCell[];
  metadata: Record<string, unknown> & { kernelspec?: { name?: string; display_name?: string; language?: string } };
  nbformat: number;
  nbformat_minor: number;
}

const cellSchema = z.looseObject({
  cell_type: z.enum(['code', 'markdown', 'raw']),
  metadata: z.looseObject({ tags: z.array(z.string()).optional() }),
  source: z.union([z.string(), z.array(z.string())]),
});
const notebookSchema = z.looseObject({
  cells: z.array(cellSchema),
  metadata: z.looseObject({}),
  nbformat: z.literal(4),
  nbformat_minor: z.number().int().nonnegative(),
});

/** A text of either form as one string. */
export function joinText(text: MultilineText): string {
  return Array.isArray(text) ? text.join('') : text;
}

/** Lines with their line ends, as Jupyter writes them. */
export function splitText(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+/g) ?? [];
}

/**
 * The notebook in `file`; older minor versions get the cell ids of 4.5.
 * @throws KitError when it is missing, not JSON, or not a notebook of nbformat 4.
 */
export function readNotebook(file: string): Notebook {
  let json: unknown;
  try {
    json = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new KitError(`${file}: expected a notebook, found ${foundInstead(cause as NodeJS.ErrnoException)}.`, {
      code: 'NOTEBOOK_UNREADABLE',
      fix: 'Name a file that ends in .ipynb.',
      cause,
    });
  }
  const parsed = notebookSchema.safeParse(json);
  if (!parsed.success) {
    const found = (json as { nbformat?: unknown } | null)?.nbformat;
    if (typeof found === 'number' && found !== 4) {
      throw new KitError(`${file}: expected a notebook of nbformat 4, found nbformat ${found}.`, {
        code: 'NOTEBOOK_OTHER_FORMAT',
        fix: `Convert it: \`jupyter nbconvert --to notebook --inplace ${path.basename(file)}\`.`,
      });
    }
    const [{ path: at, message }] = parsed.error.issues;
    throw new KitError(`${file}: expected a notebook of nbformat 4; at ${at.join('.') || 'its top'}: ${message}.`, {
      code: 'NOTEBOOK_INVALID',
      fix: 'Open it with `npx rifle lab` and save it.',
    });
  }
  const notebook = parsed.data as unknown as Notebook;
  const ids = new Set<string>();
  notebook.cells.forEach((cell, index) => {
    if (cell.id === undefined || ids.has(cell.id)) cell.id = newId(`cell-${index + 1}`, notebook.cells);
    ids.add(cell.id);
    if (cell.cell_type === 'code') {
      cell.outputs ??= [];
      cell.execution_count ??= null;
    }
  });
  notebook.nbformat_minor = Math.max(5, notebook.nbformat_minor);
  return notebook;
}

/** The found content instead of a notebook. */
function foundInstead({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EISDIR') return 'a folder';
  return code === undefined ? `a file that is not JSON (${message})` : `a file that cannot be read (${code})`;
}

/** An id that no cell has yet. */
function newId(wanted: string, cells: readonly NotebookCell[]): string {
  let id = wanted;
  while (cells.some((cell) => cell.id === id)) id += '-';
  return id;
}

/**
 * Writes a notebook completely or not at all: sorted keys, one space of indent, texts in lines. Links and permissions
 * are kept.
 */
export async function writeNotebook(file: string, notebook: Notebook): Promise<void> {
  const cells = notebook.cells.map((cell) => {
    const written = { ...cell, source: splitText(joinText(cell.source)) };
    if (cell.cell_type !== 'code') return written;
    return {
      ...written,
      execution_count: cell.execution_count ?? null,
      outputs: (cell.outputs ?? []).map(outputInLines),
    };
  });
  const text = `${JSON.stringify(sortKeys({ ...notebook, cells }), null, 1)}\n`;
  const target = fs.existsSync(file) ? fs.realpathSync(file) : path.resolve(file);
  const mode = fs.statSync(target, { throwIfNoEntry: false })?.mode;
  await makeAtomically(target, async (partial) => {
    await fs.promises.writeFile(partial, text);
    if (mode !== undefined) await fs.promises.chmod(partial, mode & 0o7777);
  });
}

function outputInLines(output: CellOutput): CellOutput {
  if (output.output_type === 'stream') return { ...output, text: splitText(joinText(output.text)) };
  if (output.output_type === 'error') return output;
  const data: MimeBundle = {};
  for (const [type, value] of Object.entries(output.data)) {
    data[type] =
      typeof value === 'string' && /^text\/|^image\/svg\+xml$|javascript$/.test(type) ? splitText(value) : value;
  }
  return { ...output, data };
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sortKeys(entry)]),
  );
}
