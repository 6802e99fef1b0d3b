// What a notebook's kernel offers to the kit that runs inside it: one global, so that it reaches whichever copy of the
// kit a notebook imports.

/** The tensors that live and were made while one cell ran. */
export interface CellTensors {
  /** The cell's latest execution number, as in its prompt `[3]`. */
  cell: number;
  tensors: number;
  bytes: number;
}

/** What the browser's side of a comm sends. */
export interface CommListener {
  /** Data and bytes of one message. A failure is shown in the cell that opened the comm. */
  onMessage(data: Record<string, unknown>, buffers: Uint8Array[]): void | Promise<void>;
  /** The other side has closed the comm. */
  onClose(): void;
}

/** An open comm: a channel between a cell and the browser, as widgets use it. */
export interface Comm {
  send(data: Record<string, unknown>, buffers?: Uint8Array[]): void;
  /** Closes it on both sides. */
  close(): void;
}

/** How to open a comm. */
export interface CommOptions extends CommListener {
  id: string;
  /** The name of what the browser makes of it, for example `jupyter.widget`. */
  target: string;
  data: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  buffers?: Uint8Array[];
}

/** The kernel, as seen from the kit. */
export interface NotebookHost {
  /**
   * Sends a bundle to the cell that runs; with `display`, under an id, so that a later one with `update` takes its
   * place.
   */
  publish(bundle: Record<string, unknown>, display?: { id: string; update: boolean }): void;
  /** Aborted when the user interrupts the kernel. After an interrupt there is a new one: read it when work begins. */
  readonly signal: AbortSignal;
  /**
   * Asks for a line of text.
   * @throws KitError NOTEBOOK_NO_STDIN where nobody can answer.
   */
  ask(text: string, isPassword: boolean): Promise<string>;
  openComm(options: CommOptions): Comm;
  /** The folder of the notebook, where the kernel was started. */
  readonly folder: string;
  /** Whether a person runs the cells, who can answer; not under `rifle notebooks`, nbconvert and the like. */
  readonly isInteractive: boolean;
  /** Living tensors by the cell that made them, in order of execution. */
  tensors(): CellTensors[];
}

const NAME = Symbol.for('rifle-kit.notebook-host');
const place = globalThis as Record<symbol, NotebookHost | undefined>;

/** The kernel that this process is, or `null` outside a notebook. */
export const notebookHost = (): NotebookHost | null => place[NAME] ?? null;

/** Makes this process a kernel. Called once, by the kernel itself. */
export function becomeNotebookHost(host: NotebookHost): void {
  place[NAME] = host;
}

/**
 * The signal that long work is to heed: `own`, the notebook's interrupt, or both in one. A notebook's training run
 * stops at its next step when the kernel is interrupted, without anybody's passing a signal.
 */
export function stopSignal(own?: AbortSignal): AbortSignal | undefined {
  const host = notebookHost();
  if (host === null) return own;
  return own === undefined ? host.signal : AbortSignal.any([own, host.signal]);
}
