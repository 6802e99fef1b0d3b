// Runs a notebook from its first cell to its last without a browser and without Python, and stops at the first cell that fails.
import path from 'node:path';
import { KitError, unknownName } from '../engine/errors';
import { explainFailure } from './failure';
import { joinText, readNotebook, splitText, writeNotebook, type CellOutput, type Notebook, type NotebookCell } from './format';
import { Kernel } from './kernel';
import { OutputCollector } from './outputs';

/** How one cell ended. */
export interface NotebookCellResult {
  /** 1-based, among all cells of the file, text cells included. */
  cell: number;
  /** Number of cells of the file. */
  of: number;
  status: 'ok' | 'failed';
  /** From sending the cell to the kernel's being idle again. */
  seconds: number;
}

/** The first cell that failed. */
export interface NotebookFailure {
  /** Path of the notebook, as given. */
  notebook: string;
  /** 1-based, among all cells of the file. */
  cell: number;
  /** 1-based line in the cell; `null` when it cannot be told. */
  line: number | null;
  /** That line of the cell's source. */
  source: string | null;
  /** The error, for example `TypeError: x is not a function`. */
  error: string;
  traceback: string;
}

/** What a run of a notebook gave. */
export interface NotebookResult {
  notebook: string;
  /** Where the executed notebook was saved; `null` when it was not asked for. */
  out: string | null;
  status: 'ok' | 'failed';
  cells: NotebookCellResult[];
  failure: NotebookFailure | null;
  seconds: number;
}

/** How to run a notebook. */
export interface RunNotebookOptions {
  /** Where to save the executed notebook, also when a cell fails. May be the file itself. Default: it is not saved. */
  out?: string;
  /** Values for variables of the cell tagged `parameters`, assigned right after it. */
  parameters?: Record<string, unknown>;
  /** Environment of the kernel on top of this process's, for example `{RIFLE_SCALE: 'smoke'}`. */
  env?: Record<string, string>;
  /** Time limit of each cell. Default 3600. */
  timeoutSeconds?: number;
  signal?: AbortSignal;
  /** Told after each code cell. */
  onCell?: (result: NotebookCellResult) => void;
}

/**
 * Executes all code cells of `file` in order, in a fresh stock tslab kernel whose working folder is the notebook's.
 * @throws KitError when the file is no TypeScript notebook, a parameter is not declared, or the kernel does not start; the signal's
 * reason when aborted. A failing cell does not throw: see `status` and `failure`.
 */
export async function runNotebook(file: string, options: RunNotebookOptions = {}): Promise<NotebookResult> {
  const { out, parameters = {}, env, timeoutSeconds = 3600, signal, onCell } = options;
  const started = performance.now();
  const notebook = readNotebook(file);
  checkKernel(file, notebook);
  const total = notebook.cells.length;
  const numbers = new Map(notebook.cells.map((cell, index) => [cell, index + 1]));
  injectParameters(file, notebook, parameters);
  const cells: NotebookCellResult[] = [];
  const collector = new OutputCollector();
  let failure: NotebookFailure | null = null;
  let number = 0;
  clearOutputs(notebook);
  const kernel = await Kernel.start({ cwd: path.dirname(path.resolve(file)), env, signal });
  try {
    for (const cell of notebook.cells) {
      if (cell.cell_type !== 'code' || failure !== null) continue;
      number = numbers.get(cell) ?? number; // the cell of the parameters that were given counts as the one that declares them
      const begun = performance.now();
      const error = await runCell(kernel, collector, cell, { timeoutSeconds, signal });
      if (error !== null) failure = { notebook: file, cell: number, ...error };
      const result: NotebookCellResult = { cell: number, of: total, status: error ? 'failed' : 'ok', seconds: (performance.now() - begun) / 1000 };
      cells.push(result);
      onCell?.(result);
    }
  } finally {
    await kernel.stop(failure === null && !signal?.aborted ? 5 : 0);
  }
  if (out !== undefined) await writeNotebook(out, notebook);
  const status = failure === null ? 'ok' : 'failed';
  return { notebook: file, out: out ?? null, status, cells, failure, seconds: (performance.now() - started) / 1000 };
}

/** A failure in a few lines: notebook, cell, source line, error. */
export function describeFailure(failure: NotebookFailure): string {
  const place = `${failure.notebook}, cell ${failure.cell}${failure.line === null ? '' : `, line ${failure.line}`}`;
  return [place, failure.source === null ? null : `    ${failure.source.trim()}`, failure.error].filter((line) => line !== null).join('\n');
}

type CellError = Omit<NotebookFailure, 'notebook' | 'cell'>;

async function runCell(
  kernel: Kernel,
  collector: OutputCollector,
  cell: NotebookCell,
  options: { timeoutSeconds: number; signal?: AbortSignal },
): Promise<CellError | null> {
  const outputs: CellOutput[] = (cell.outputs = []);
  const source = joinText(cell.source);
  let found: { name: string; message: string; line: number | null; traceback: string };
  try {
    const reply = await kernel.execute(source, (message) => collector.add(outputs, message), options);
    cell.execution_count = reply.executionCount;
    if (reply.status === 'ok') return null;
    const stderr = outputs.filter((output) => output.output_type === 'stream' && output.name === 'stderr');
    found = explainFailure(source, stderr.map((output) => joinText((output as { text: string }).text)).join(''));
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    found = { name: error.name, message: error.fix ? `${error.message}\n${error.fix}` : error.message, line: null, traceback: '' };
  }
  const error = `${found.name}: ${found.message}`;
  // Stock tslab publishes no error; the saved notebook is to show one.
  outputs.push({ output_type: 'error', ename: found.name, evalue: found.message, traceback: splitText(`${error}\n${found.traceback}`).map((line) => line.trimEnd()) });
  return { line: found.line, source: found.line === null ? null : (source.split('\n')[found.line - 1] ?? null), error, traceback: found.traceback };
}

/** Names of the kernel in a notebook: the one that the set-up registers, and tslab's own. Both are the same program. */
const KERNELS: readonly string[] = ['rifle', 'tslab'];

function checkKernel(file: string, notebook: Notebook): void {
  const name = notebook.metadata.kernelspec?.name;
  if (name !== undefined && !KERNELS.includes(name)) {
    throw new KitError(`${file}: expected a TypeScript notebook (kernel ${KERNELS.map((kernel) => `"${kernel}"`).join(' or ')}), found kernel "${name}".`, {
      fix: 'Open it in JupyterLab and choose the kernel "TypeScript (rifle-kit)", or run it with Jupyter.',
    });
  }
}

function clearOutputs(notebook: Notebook): void {
  for (const cell of notebook.cells) {
    if (cell.cell_type !== 'code') continue;
    cell.outputs = [];
    cell.execution_count = null;
  }
}

/** Puts a cell that assigns the parameters after the cell tagged `parameters`; a cell from an earlier run is replaced. */
function injectParameters(file: string, notebook: Notebook, parameters: Record<string, unknown>): void {
  const tagged = (cell: NotebookCell, tag: string): boolean => cell.metadata.tags?.includes(tag) ?? false;
  notebook.cells = notebook.cells.filter((cell) => !tagged(cell, 'injected-parameters'));
  const names = Object.keys(parameters);
  if (names.length === 0) return;
  const index = notebook.cells.findIndex((cell) => cell.cell_type === 'code' && tagged(cell, 'parameters'));
  if (index < 0) throw new KitError(`${file}: parameters were given (${names.join(', ')}), but no code cell has the tag "parameters".`);
  const declared = [...joinText(notebook.cells[index].source).matchAll(/^[ \t]*(?:let|var)\s+([A-Za-z_$][\w$]*)/gm)].map((match) => match[1]);
  for (const name of names) {
    if (!declared.includes(name)) throw unknownName('parameter (a variable declared with `let` in the cell tagged "parameters")', name, declared);
  }
  notebook.cells.splice(index + 1, 0, {
    id: 'injected-parameters',
    cell_type: 'code',
    metadata: { tags: ['injected-parameters'] },
    source: names.map((name) => `${name} = ${JSON.stringify(parameters[name])};`).join('\n'),
    outputs: [],
    execution_count: null,
  });
}
