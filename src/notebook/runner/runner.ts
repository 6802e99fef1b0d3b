// Runs a notebook from its first cell to its last without a browser and without Python, and stops at the first cell
// that fails.
import path from 'node:path';
import { KitError, unknownName } from '../../base/errors';
import { joinText, readNotebook, writeNotebook, type CellOutput, type Notebook, type NotebookCell } from './format';
import { Kernel } from './kernel-client';
import { OutputCollector } from './outputs';
import type { Message } from './wire';

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
 * Executes all code cells of `file` in order, in a fresh kernel whose working folder is the notebook's. A cell tagged
 * `raises-exception` may fail.
 * @throws KitError when the file is no TypeScript notebook, a parameter is not declared, or the kernel does not start;
 *   the signal's
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
      // the cell of the parameters that were given counts as the one that declares them
      number = numbers.get(cell) ?? number;
      const begun = performance.now();
      const error = await runCell(kernel, collector, cell, { timeoutSeconds, signal });
      const isAllowed = cell.metadata.tags?.includes('raises-exception') ?? false; // Jupyter's own tag
      if (error !== null && !(isAllowed && kernel.isAlive)) failure = { notebook: file, cell: number, ...error };
      const result: NotebookCellResult = {
        cell: number,
        of: total,
        status: failure ? 'failed' : 'ok',
        seconds: (performance.now() - begun) / 1000,
      };
      cells.push(result);
      onCell?.(result);
    }
    if (failure === null && cells.length > 0) failure = await lateFailure(file, kernel, notebook, numbers);
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
  return [place, failure.source === null ? null : `    ${failure.source.trim()}`, failure.error]
    .filter((line) => line !== null)
    .join('\n');
}

type CellError = Omit<NotebookFailure, 'notebook' | 'cell'>;

async function runCell(
  kernel: Kernel,
  collector: OutputCollector,
  cell: NotebookCell,
  options: { timeoutSeconds: number; silent?: boolean; signal?: AbortSignal },
): Promise<CellError | null> {
  const outputs: CellOutput[] = (cell.outputs = []);
  const source = joinText(cell.source);
  let failed: { error: Extract<CellOutput, { output_type: 'error' }>; line: number | null } | null = null;
  const onOutput = (message: Message): void => {
    collector.add(outputs, message);
    const last = outputs.at(-1);
    if (message.header.msg_type !== 'error' || last?.output_type !== 'error') return;
    const { line } = (message.metadata.rifle ?? {}) as { line?: number | null };
    failed = { error: last, line: line ?? null };
  };
  try {
    const reply = await kernel.execute(source, { ...options, onOutput, cellId: cell.id });
    cell.execution_count = reply.executionCount;
    if (reply.status === 'ok') return null;
    return describe(
      source,
      failed ?? {
        error: { output_type: 'error', ename: 'Error', evalue: 'The kernel gave no reason.', traceback: [] },
        line: null,
      },
    );
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    // The kernel could not say it: the saved notebook is to show it all the same.
    const evalue = error.fix ? `${error.message}\n${error.fix}` : error.message;
    const shown = {
      output_type: 'error' as const,
      ename: error.name,
      evalue,
      traceback: `${error.name}: ${evalue}`.split('\n'),
    };
    outputs.push(shown);
    return describe(source, { error: shown, line: null });
  }
}

/** Time after the last cell in which work that nobody awaited may still fail, milliseconds. */
const SETTLING = 150;

/**
 * What went wrong after the last cell had ended, in something that it had started: no later cell is there to tell it.
 */
async function lateFailure(
  file: string,
  kernel: Kernel,
  notebook: Notebook,
  numbers: Map<NotebookCell, number>,
): Promise<NotebookFailure | null> {
  await new Promise((resolve) => setTimeout(resolve, SETTLING));
  const last = notebook.cells.filter((cell) => cell.cell_type === 'code').at(-1)!;
  const probe: NotebookCell = { ...last, source: '' };
  const error = await runCell(kernel, new OutputCollector(), probe, { timeoutSeconds: 10, silent: true });
  if (error === null) return null;
  last.outputs!.push(...probe.outputs!);
  return { notebook: file, cell: numbers.get(last) ?? notebook.cells.length, ...error };
}

function describe(
  source: string,
  {
    error: { ename, evalue, traceback },
    line,
  }: { error: Extract<CellOutput, { output_type: 'error' }>; line: number | null },
): CellError {
  return {
    line,
    source: line === null ? null : (source.split('\n')[line - 1] ?? null),
    error: `${ename}: ${evalue}`,
    traceback: traceback.join('\n'),
  };
}

/**
 * Names of the kernel in a notebook: the one that the set-up registers, and tslab's own, whose notebooks it runs too.
 */
const KERNELS: readonly string[] = ['rifle', 'tslab'];

function checkKernel(file: string, notebook: Notebook): void {
  const name = notebook.metadata.kernelspec?.name;
  if (name !== undefined && KERNELS.includes(name)) return;
  const choose = 'Open it with `npx rifle lab`, choose the kernel "TypeScript (rifle-kit)" and save it';
  if (name === undefined)
    throw new KitError(`${file}: expected a notebook that names its kernel, found no metadata.kernelspec.name.`, {
      fix: `${choose}.`,
    });
  throw new KitError(
    `${file}: expected a TypeScript notebook (kernel ${KERNELS.map((kernel) => `"${kernel}"`).join(' or ')}), found kernel "${name}".`,
    {
      fix: `${choose}; or, to run it with "${name}", install that kernel into Jupyter (\`jupyter kernelspec list\` shows what is there) and use \`jupyter execute\`.`,
    },
  );
}

function clearOutputs(notebook: Notebook): void {
  for (const cell of notebook.cells) {
    if (cell.cell_type !== 'code') continue;
    cell.outputs = [];
    cell.execution_count = null;
  }
}

/**
 * Puts a cell that assigns the parameters after the cell tagged `parameters`; a cell from an earlier run is replaced.
 */
function injectParameters(file: string, notebook: Notebook, parameters: Record<string, unknown>): void {
  const tagged = (cell: NotebookCell, tag: string): boolean => cell.metadata.tags?.includes(tag) ?? false;
  notebook.cells = notebook.cells.filter((cell) => !tagged(cell, 'injected-parameters'));
  const names = Object.keys(parameters);
  if (names.length === 0) return;
  const index = notebook.cells.findIndex((cell) => cell.cell_type === 'code' && tagged(cell, 'parameters'));
  if (index < 0)
    throw new KitError(
      `${file}: parameters were given (${names.join(', ')}), but no code cell has the tag "parameters".`,
    );
  const declared = [
    ...joinText(notebook.cells[index].source).matchAll(/^[ \t]*(?:let|var)\s+([A-Za-z_$][\w$]*)/gm),
  ].map((match) => match[1]);
  for (const name of names) {
    if (!declared.includes(name))
      throw unknownName('parameter (a variable declared with `let` in the cell tagged "parameters")', name, declared);
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
