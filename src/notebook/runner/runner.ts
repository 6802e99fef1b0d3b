// Runs a notebook from its first cell to its last without a browser and without Python. Stops at the first failure.
import fs from 'node:fs';
import path from 'node:path';
import { KitError } from '../../base/errors';
import { joinText, readNotebook, writeNotebook, type CellOutput, type Notebook, type NotebookCell } from './format';
import { Kernel } from './kernel-client';
import { OutputCollector } from './outputs';
import { injectParameters } from './parameters';
import type { Message } from './wire';

/** The result of one cell. */
export interface NotebookCellResult {
  /** 1-based, among all cells of the file, text cells included. */
  cell: number;
  /** Number of cells of the file. */
  of: number;
  status: 'ok' | 'failed';
  /** Time from sending the cell until the kernel is idle again. */
  seconds: number;
}

/** The first cell that failed. */
export interface NotebookFailure {
  /** Path of the notebook, as given. */
  notebook: string;
  /** 1-based, among all cells of the file. */
  cell: number;
  /** 1-based line in the cell; `null` when it is not known. */
  line: number | null;
  /** That line of the cell's source. */
  source: string | null;
  /** The error, for example `TypeError: x is not a function`. */
  error: string;
  traceback: string;
}

/** The result of a notebook. */
export interface NotebookResult {
  notebook: string;
  /** Path of the executed notebook; `null` when it was not saved. */
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
  /** Environment variables of the kernel, added to those of this process, for example `{RIFLE_SCALE: 'smoke'}`. */
  env?: Record<string, string>;
  /** Time limit of each cell. Default 3600. */
  timeoutSeconds?: number;
  signal?: AbortSignal;
  /** Called after each code cell. */
  onCell?: (result: NotebookCellResult) => void;
}

/**
 * Executes all code cells of `file` in order, in a fresh kernel whose working folder is the notebook's. The tags are
 * Jupyter's own: a cell tagged `raises-exception` may fail, one tagged `skip-execution` is not executed. With
 * `allow_errors` in the notebook's metadata (also below `execution`) every cell may fail.
 * @throws KitError when the file is no TypeScript notebook, a parameter is not declared, or the kernel does not start;
 *   the signal's reason when aborted. A failing cell does not throw: see `status` and `failure`.
 */
export async function runNotebook(file: string, options: RunNotebookOptions = {}): Promise<NotebookResult> {
  const { out, parameters = {}, env, timeoutSeconds = 3600, signal, onCell } = options;
  const started = performance.now();
  if (out !== undefined) checkTarget(out);
  const notebook = readNotebook(file);
  checkKernel(file, notebook);
  const total = notebook.cells.length;
  const numbers = new Map(notebook.cells.map((cell, index) => [cell, index + 1]));
  await injectParameters(file, notebook, parameters);
  const allowsErrors = allowsErrorsIn(notebook);
  const cells: NotebookCellResult[] = [];
  const collector = new OutputCollector();
  let failure: NotebookFailure | null = null;
  let number = 0;
  clearOutputs(notebook);
  const kernel = await Kernel.start({ cwd: path.dirname(path.resolve(file)), env, signal });
  try {
    for (const cell of notebook.cells) {
      if (cell.cell_type !== 'code' || failure !== null || isSkipped(cell)) continue;
      // the cell with the given parameters counts as the one that declares them
      number = numbers.get(cell) ?? number;
      const begun = performance.now();
      const error = await runCell(kernel, collector, cell, { timeoutSeconds, signal });
      const isAllowed = allowsErrors || hasTag(cell, 'raises-exception');
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
    // The kernel did not send this error, but the saved notebook must show it.
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

/** Milliseconds after the last cell in which work that was not awaited may still fail. */
const SETTLING = 150;

/**
 * A failure after the end of the last cell, of work that it had started: there is no later cell to show it.
 */
async function lateFailure(
  file: string,
  kernel: Kernel,
  notebook: Notebook,
  numbers: Map<NotebookCell, number>,
): Promise<NotebookFailure | null> {
  await new Promise((resolve) => setTimeout(resolve, SETTLING));
  const last = notebook.cells.filter((cell) => cell.cell_type === 'code' && !isSkipped(cell)).at(-1)!;
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

/** Names of the kernel in notebooks: that of the set-up, and tslab's. Others are recognised by their title. */
const KERNELS: readonly string[] = ['rifle', 'tslab'];

function checkKernel(file: string, notebook: Notebook): void {
  const { name, display_name: title } = notebook.metadata.kernelspec ?? {};
  if (name !== undefined && (KERNELS.includes(name) || title?.startsWith('TypeScript (rifle-kit'))) return;
  const choose = 'Open it with `npx rifle lab`, choose the kernel "TypeScript (rifle-kit)" and save it';
  if (name === undefined)
    throw new KitError(`${file}: expected a notebook that names its kernel, found no metadata.kernelspec.name.`, {
      code: 'NOTEBOOK_WITHOUT_KERNEL',
      fix: `${choose}.`,
    });
  const known = KERNELS.map((kernel) => `"${kernel}"`).join(' or ');
  throw new KitError(`${file}: expected a TypeScript notebook (kernel ${known}), found kernel "${name}".`, {
    code: 'NOTEBOOK_OTHER_KERNEL',
    fix: `${choose}. To run it with "${name}", use \`jupyter execute\`.`,
  });
}

/** Refuses a path that cannot be a file. */
function checkTarget(out: string): void {
  if (fs.statSync(out, { throwIfNoEntry: false })?.isDirectory())
    throw new KitError(`${out}: expected a path for the executed notebook, found a folder.`, {
      code: 'NOTEBOOK_TARGET_FOLDER',
      fix: 'Name a file in that folder.',
    });
}

const hasTag = (cell: NotebookCell, tag: string): boolean => cell.metadata.tags?.includes(tag) ?? false;
const isSkipped = (cell: NotebookCell): boolean => hasTag(cell, 'skip-execution');

function allowsErrorsIn({ metadata }: Notebook): boolean {
  const execution = metadata.execution as { allow_errors?: unknown } | undefined;
  return metadata.allow_errors === true || execution?.allow_errors === true;
}

function clearOutputs(notebook: Notebook): void {
  for (const cell of notebook.cells) {
    if (cell.cell_type !== 'code' || isSkipped(cell)) continue;
    cell.outputs = [];
    cell.execution_count = null;
  }
}
