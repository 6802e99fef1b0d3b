// One notebook in its kernel: its cells, what they print and show, their tensors, and how they are stopped.
import { createHash } from 'node:crypto';
import { KitError } from '../../base/errors';
import { becomeNotebookHost, type NotebookHost } from '../../base/notebook-host';
import { kernelInfo } from './info';
import { bundleOf } from '../display/display';
import { sendable } from '../display/sendable';
import type { MimeBundle } from '../runner/format';
import type { Message } from '../runner/wire';
import { Cells } from './cells';
import { complete, inspect, isComplete } from './compiler/completion';
import { setTslabPublish } from './modules/tslab';
import type { DescriptorOutput } from './io/descriptors';
import { failureOf, Interrupted, type CellFailure, type FailedCell } from './failure';
import { mapStacks } from './compiler/positions';
import type { Ask, Handler, Publisher, Reply } from './server';
import { Comms } from './io/comms';
import { History } from './io/history';
import { CellInput } from './io/stdin';
import { PrintedText } from './io/streams';
import { TensorLedger } from './tensors';
import { Shared } from './threads';

/** Milliseconds for code that listens to the interrupt to end. A cell that does not end is abandoned. */
const GRACE = 2000;

/** What the kernel needs of its process. */
export interface KernelProcess {
  /** The numbers of `Shared`. */
  shared: Int32Array;
  /** What is written past `process.stdout`; `null` when it is not caught. */
  descriptors: DescriptorOutput | null;
  /** Ends the process. */
  end(): void;
}

/** A failure that no `await` saw, with the cell that ran when it came to light. */
interface Stray {
  error: unknown;
  /** The cell that had ended last. */
  after: FailedCell | null;
}

/** One notebook's kernel. */
export class NotebookKernel implements Handler {
  private readonly tensors = new TensorLedger();
  private readonly printed: PrintedText;
  private readonly cells: Cells;
  private readonly history = new History();
  private count = 0;
  private running: FailedCell | null = null;
  private last: FailedCell | null = null;
  private publish: Publisher = () => undefined;
  /** Asks the client of the running cell; `null` when it does not allow it. */
  private ask: Ask | null = null;
  private isInteractive = false;
  private input: CellInput | null = null;
  private readonly comms = new Comms((type, content, metadata, buffers) =>
    (this.publishComm ?? this.publish)(type, content, metadata, buffers?.map(bytesOf)),
  );
  /** Publishes on behalf of the comm's message that is handled. */
  private publishComm: Publisher | null = null;
  private strays: Stray[] = [];
  private controller = new AbortController();
  private isHeeded = false;
  /** Ends the running cell with a failure, also when its code continues. */
  private abandon: (reason: Error) => void = () => undefined;

  constructor(private readonly owner: KernelProcess) {
    this.printed = new PrintedText((name, text) => this.publish('stream', { name, text }), owner.descriptors);
    this.tensors.watch();
    mapStacks();
    this.cells = new Cells(process.cwd(), (isFirst) => Atomics.store(owner.shared, Shared.firstPart, isFirst ? 1 : 0));
  }

  /** Takes over the process: its streams, signals and errors. Called when the sockets are open. */
  ready(): void {
    this.printed.capture();
    becomeNotebookHost(this.host());
    setTslabPublish((content, isUpdate) => this.show(isUpdate ? 'update_display_data' : 'display_data', content));
    this.input = new CellInput(
      () => this.askLine('', false),
      (error) => this.abandon(error as Error),
    );
    process.on('SIGINT', () => this.interrupt());
    process.on('unhandledRejection', (error) => this.strayed(error));
    process.on('uncaughtException', (error) => this.strayed(error));
    process.exit = ((code?: number) => {
      throw new KitError(`process.exit(${code ?? ''}) was called, and a cell does not end the kernel.`, {
        code: 'NOTEBOOK_PROCESS_EXIT',
        fix: 'To fail, throw an error. To start afresh, restart the kernel.',
      });
    }) as typeof process.exit;
  }

  async execute(request: Message, publish: Publisher, ask: Ask): Promise<Reply & { status: 'ok' | 'error' }> {
    const source = String(request.content.code ?? '');
    const isSilent = request.content.silent === true;
    const isCounted = !isSilent && request.content.store_history !== false;
    if (isCounted) this.history.add(++this.count, source);
    const cell: FailedCell = { number: this.count, source };
    this.publish = publish;
    this.isInteractive = request.content.allow_stdin !== false;
    this.ask = this.isInteractive ? ask : null;
    this.printed.beginCell();
    if (!isSilent) publish('execute_input', { code: source, execution_count: this.count });
    this.running = cell;
    const failure = this.takeStrays(cell) ?? (await this.run(cell, nameOf(request, source), isSilent));
    this.running = null;
    this.ask = null;
    this.input?.endCell();
    this.last = cell;
    this.printed.endCell();
    if (failure === null) {
      const user_expressions = await this.evaluate(request.content.user_expressions);
      return { status: 'ok', execution_count: this.count, payload: [], user_expressions };
    }
    const { ename, evalue, traceback, line } = failure;
    publish('error', { ename, evalue, traceback }, { rifle: { line } });
    return { status: 'error', execution_count: this.count, ename, evalue, traceback };
  }

  answer(type: string, { content, buffers }: Message, publish: Publisher): Reply | null {
    const code = String(content.code ?? '');
    const at = Number(content.cursor_pos ?? 0);
    switch (type) {
      case 'kernel_info':
        return kernelInfo();
      case 'complete':
        return complete(this.cells, code, at);
      case 'inspect':
        return inspect(this.cells, code, at);
      case 'is_complete':
        return isComplete(code);
      case 'comm_info':
        return { comms: this.comms.info(content.target_name) };
      case 'history':
        return this.history.answer(content);
      case 'comm_open':
      case 'comm_msg':
      case 'comm_close':
        this.publishComm = publish;
        this.comms.receive(type, content, buffers);
        this.publishComm = null;
        return null;
      default:
        return null;
    }
  }

  shutdown(): void {
    setTimeout(() => this.owner.end(), 50); // lets the reply go
  }

  /** Compiles and runs; shows the value. The failure, or `null`. */
  private async run(cell: FailedCell, name: string, isSilent: boolean): Promise<CellFailure | null> {
    const interrupted = new Promise<never>((_resolve, reject) => (this.abandon = reject));
    interrupted.catch(() => undefined);
    this.tensors.begin(name, cell.number);
    let failure: CellFailure | null = null;
    try {
      // A cell that was ended from outside never returns.
      const outcome = await Promise.race([this.cells.run(cell, interrupted), interrupted]);
      if (!outcome.ok) failure = outcome.failure;
      else if (outcome.value !== undefined && !isSilent) {
        const data = await Promise.race([bundleOf(outcome.value), interrupted]);
        this.printed.flush();
        this.history.addResult(data['text/plain']);
        this.publish('execute_result', { data: sendable(data), metadata: {}, execution_count: cell.number });
      }
    } catch (error) {
      failure = failureOf(error, cell);
    }
    // A rejection that nobody awaits is known one turn later.
    await turn();
    await turn();
    failure ??= this.takeStrays(cell);
    await this.tensors.end(failure === null);
    return failure;
  }

  /** The values of expressions that came with a cell, each as a bundle or as an error. */
  private async evaluate(expressions: unknown): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    for (const [name, source] of Object.entries((expressions ?? {}) as Record<string, unknown>)) {
      const cell: FailedCell = { number: this.count, source: String(source) };
      const outcome = await this.cells.run(cell, new Promise(() => undefined));
      if (outcome.ok) found[name] = { status: 'ok', data: sendable(await bundleOf(outcome.value)), metadata: {} };
      else {
        const { ename, evalue, traceback } = outcome.failure;
        found[name] = { status: 'error', ename, evalue, traceback };
      }
    }
    return found;
  }

  /** The failure of `cell` by what went wrong beside it, or in the time before it. */
  private takeStrays(cell: FailedCell): CellFailure | null {
    const [first] = this.strays.splice(0);
    if (first === undefined) return null;
    const isOurs = first.after === null;
    const failure = failureOf(first.error, isOurs ? cell : first.after!);
    const note = isOurs
      ? 'Nothing in this cell awaited the promise that failed, or a callback threw: await it, or catch its error.'
      : [
          `Cell [${first.after!.number}] had started this and did not await it.`,
          'It failed after that cell had ended. This cell was not run.',
        ].join(' ');
    return { ...failure, line: isOurs ? failure.line : null, traceback: [...failure.traceback, '', note] };
  }

  private strayed(error: unknown): void {
    if (error instanceof Interrupted) return; // work that nobody awaits has heeded the interrupt
    this.strays.push({ error, after: this.running === null ? this.last : null });
    if (this.running !== null || this.last === null) return;
    // Nobody would see it before the next cell: say it where the last one printed.
    const { traceback } = failureOf(error, this.last);
    this.publish('stream', { name: 'stderr', text: `${traceback.join('\n')}\n` });
  }

  /** Interrupts the running cell: code that listens ends; a cell that does not end is abandoned. */
  interrupt(): void {
    Atomics.add(this.owner.shared, Shared.seen, 1);
    Atomics.store(this.owner.shared, Shared.firstPart, 0);
    const reason = new Interrupted();
    const { abandon, isHeeded, controller } = this;
    this.controller = new AbortController();
    this.isHeeded = false;
    controller.abort(reason);
    if (isHeeded) setTimeout(() => abandon(reason), GRACE).unref();
    else abandon(reason);
  }

  private show(type: string, content: Record<string, unknown>): void {
    this.printed.flush();
    this.publish(type, { ...content, data: sendable(content.data as MimeBundle) });
  }

  private host(): NotebookHost {
    const kernel = this;
    return {
      folder: process.cwd(),
      publish: (bundle, display) =>
        kernel.show(display?.update ? 'update_display_data' : 'display_data', {
          data: bundle,
          metadata: {},
          transient: display ? { display_id: display.id } : {},
        }),
      get signal() {
        kernel.isHeeded = true;
        return kernel.controller.signal;
      },
      ask: (text, isPassword) => kernel.askLine(text, isPassword),
      openComm: (options) => {
        const { publish } = kernel;
        return kernel.comms.openFromCell(options, (listener) => kernel.listen(listener, publish));
      },
      get isInteractive() {
        return kernel.isInteractive;
      },
      tensors: () => kernel.tensors.counts(),
    };
  }

  /** Asks for a line; without an answer when the cell ends first. @throws KitError NOTEBOOK_NO_STDIN. */
  private async askLine(text: string, isPassword: boolean): Promise<string> {
    if (this.ask === null)
      throw new KitError('The cell waits for input, which nobody can give here.', {
        code: 'NOTEBOOK_NO_STDIN',
        fix: 'Run the cell in JupyterLab, or set the value as a parameter.',
      });
    this.printed.flush();
    return this.ask(text, isPassword);
  }

  /** Runs a receiver of messages. Between cells its outputs belong to the cell that made it, which had `publish`. */
  private listen(listener: () => void | Promise<void>, publish: Publisher): void {
    if (this.running === null) this.publish = publish;
    const failed = (error: unknown): void => {
      const { traceback } = failureOf(error, this.running ?? this.last ?? { number: 0, source: '' });
      publish('stream', { name: 'stderr', text: `${traceback.join('\n')}\n` });
    };
    try {
      Promise.resolve(listener()).catch(failed);
    } catch (error) {
      failed(error);
    }
    this.printed.flush();
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What stays the same when a cell runs again: the id that Jupyter gives it, else its text. */
function nameOf({ metadata }: Message, source: string): string {
  const { cellId } = metadata;
  return typeof cellId === 'string' ? cellId : createHash('sha256').update(source).digest('hex');
}
