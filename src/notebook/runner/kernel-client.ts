// One kernel as a child process: starts it, executes code, interrupts it, and ends it with this process.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type * as zmq from 'zeromq';
import { zeromq } from '../../base/packages';
import { KitError } from '../../base/errors';
import { STARTER } from '../kernel/starter';
import { socketFolder, writeConnection } from './socket-folder';
import { guard, unguard } from './guard';
import { addressOf, decodeMessage, encodeMessage, newHeader, type Message } from './wire';

/** The result of executed code. */
export interface ExecuteReply {
  status: 'ok' | 'error';
  /** The kernel's counter of executions; `null` when there is none. */
  executionCount: number | null;
}

/** How to execute a piece of code. */
export interface ExecuteOptions {
  /**
   * Receives the messages of the code: `stream`, `display_data`, `update_display_data`, `execute_result`, `error`; also
   * late ones.
   */
  onOutput?: (message: Message) => void;
  /** Time limit; then the code is interrupted, and the call rejects. Default: no limit. */
  timeoutSeconds?: number;
  /** Not counted, its value not shown. Default false. */
  silent?: boolean;
  /** Answers what the cell asks. Default: it may not ask. */
  onInput?: (prompt: string, isPassword: boolean) => string;
  /** Id of the cell: tensors of its earlier run are disposed of. */
  cellId?: string;
  signal?: AbortSignal;
}

interface Pending {
  reply: ExecuteReply | null;
  idle: boolean;
  onInput: ExecuteOptions['onInput'];
  resolve: (reply: ExecuteReply) => void;
  reject: (error: unknown) => void;
}

/** Bytes of a kernel's output that are kept for the error when it ends. */
const KEPT = 8192;
/** Time for interrupted code to end. */
const LAST_SECONDS = 3;
/** A running kernel. It executes requests one after the other. */
export class Kernel {
  /** Process id of the kernel, and of its process group. */
  readonly pid: number;
  private readonly child: ChildProcess;
  private readonly folder: string;
  private readonly key = randomUUID();
  private readonly session = randomUUID();
  // By one name on both sockets: a kernel asks the client that sent the request.
  private readonly shell = new (zeromq().Dealer)({ linger: 0, routingId: this.session });
  private readonly stdin = new (zeromq().Dealer)({ linger: 0, routingId: this.session });
  private readonly control = new (zeromq().Dealer)({ linger: 0 });
  private readonly iopub = new (zeromq().Subscriber)({ linger: 0 });
  private readonly ended: Promise<void>;
  private readonly outputs = new Map<string, (message: Message) => void>();
  private readonly questions = new Map<string, (content: Record<string, unknown>) => void>();
  private readonly pending = new Map<string, Pending>();
  private printed = '';
  private end: string | null = null;
  private heard = false;

  private constructor(cwd: string, env: Record<string, string>) {
    this.folder = socketFolder();
    try {
      const { file, connection } = writeConnection(this.folder, this.key);
      this.child = spawn(process.execPath, [path.join(__dirname, '..', 'kernel', 'main.js'), file], {
        cwd,
        env: { ...process.env, NO_COLOR: '1', ...env, [STARTER]: String(process.pid) },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true, // in its own process group, so that the processes that it starts end with it
      });
      for (const stream of [this.child.stdout!, this.child.stderr!]) {
        stream.setEncoding('utf8').on('data', (text: string) => (this.printed = (this.printed + text).slice(-KEPT)));
      }
      this.ended = new Promise((resolve) => {
        const close = (end: string): void => {
          this.end ??= end;
          for (const { reject } of this.pending.values()) reject(this.death());
          resolve(this.pending.clear());
        };
        this.child.once('error', (error) => close(error.message));
        this.child.once('exit', (code, signal) =>
          close(
            signal ? `signal ${signal}${signal === 'SIGKILL' ? ', as when memory runs out' : ''}` : `exit code ${code}`,
          ),
        );
      });
      this.pid = this.child.pid ?? 0;
      guard(this);
      for (const [socket, port] of [
        [this.shell, connection.shell_port],
        [this.iopub, connection.iopub_port],
        [this.control, connection.control_port],
        [this.stdin, connection.stdin_port],
      ] as const) {
        socket.connect(addressOf(connection, port));
      }
      this.iopub.subscribe();
      void this.listen(this.shell);
      void this.listen(this.iopub);
      void this.listen(this.stdin);
    } catch (error) {
      fs.rmSync(this.folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Whether the process is running. */
  get isAlive(): boolean {
    return this.end === null;
  }

  /**
   * Starts a kernel in the folder `cwd` and waits until it is ready.
   * @param options.env set on top of this process's environment.
   * @param options.startSeconds time limit. Default 60.
   * @throws KitError when it does not start in time or ends.
   */
  static async start(options: {
    cwd: string;
    env?: Record<string, string>;
    startSeconds?: number;
    signal?: AbortSignal;
  }): Promise<Kernel> {
    const { cwd, env = {}, startSeconds = 60, signal } = options;
    const kernel = new Kernel(cwd, env);
    try {
      const deadline = performance.now() + startSeconds * 1000;
      // A subscription takes effect after some time: the request is repeated until its reply arrives there.
      while (!kernel.heard) {
        signal?.throwIfAborted();
        if (kernel.end !== null) throw kernel.death();
        if (performance.now() > deadline) {
          throw new KitError(
            `The notebook kernel did not answer within ${startSeconds} s.\n${kernel.printed}`.trimEnd(),
            { code: 'KERNEL_START_TIMEOUT', fix: 'Run `npx rifle doctor`; on a busy machine, try again.' },
          );
        }
        await kernel.send(kernel.shell, 'kernel_info_request', {});
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return kernel;
    } catch (error) {
      await kernel.stop(0);
      throw error;
    }
  }

  /**
   * Executes `code` and resolves when the kernel is done with it.
   * @throws KitError after the time limit (the code is interrupted and has seconds to end) or when the kernel ends;
   *   the signal's reason when aborted.
   */
  async execute(code: string, options: ExecuteOptions = {}): Promise<ExecuteReply> {
    const { onOutput, onInput, timeoutSeconds, silent = false, cellId, signal } = options;
    signal?.throwIfAborted();
    if (this.end !== null) throw this.death();
    const content = {
      code,
      silent,
      store_history: !silent,
      user_expressions: {},
      allow_stdin: onInput !== undefined,
      stop_on_error: true,
    };
    const header = newHeader('execute_request', this.session);
    if (onOutput) this.outputs.set(header.msg_id, onOutput);
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    const answered = new Promise<ExecuteReply>((resolve, reject) => {
      this.pending.set(header.msg_id, { reply: null, idle: false, onInput, resolve, reject });
      onAbort = () => reject(signal!.reason as Error);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.shell
        .send(encodeMessage(this.key, header, content, { metadata: cellId === undefined ? {} : { cellId } }))
        .catch(reject);
    });
    try {
      if (timeoutSeconds === undefined) return await answered;
      const over = Symbol('over');
      const first = await Promise.race([
        answered,
        new Promise<typeof over>((resolve) => (timer = setTimeout(() => resolve(over), timeoutSeconds * 1000))),
      ]);
      if (first !== over) return first;
      await this.interrupt();
      // Its last messages belong into the saved notebook.
      await Promise.race([
        answered.catch(() => undefined),
        new Promise((resolve) => (timer = setTimeout(resolve, LAST_SECONDS * 1000))),
      ]);
      throw new KitError(`The cell did not end within its limit of ${timeoutSeconds} s.`, {
        code: 'NOTEBOOK_CELL_TIMEOUT',
        fix: 'Raise the limit or choose a smaller scale.',
      });
    } finally {
      clearTimeout(timer);
      if (onAbort) signal?.removeEventListener('abort', onAbort);
      this.pending.delete(header.msg_id);
      answered.catch(() => undefined);
    }
  }

  /** Interrupts what the kernel executes. */
  async interrupt(): Promise<void> {
    await this.send(this.control, 'interrupt_request', {});
  }

  /** Sends the request `complete`, `inspect`, `is_complete` or `kernel_info`; returns the content of the reply. */
  async ask(what: string, content: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    if (this.end !== null) throw this.death();
    const header = newHeader(`${what}_request`, this.session);
    const answer = new Promise<Record<string, unknown>>((resolve) => this.questions.set(header.msg_id, resolve));
    await this.shell.send(encodeMessage(this.key, header, content));
    return Promise.race([answer, this.ended.then(() => Promise.reject(this.death()))]);
  }

  /**
   * Asks the kernel to end. After `graceSeconds` (default 5) it and the processes that it started are killed. Safe to
   * call twice.
   */
  async stop(graceSeconds = 5): Promise<void> {
    if (this.end === null && graceSeconds > 0) {
      await this.send(this.control, 'shutdown_request', { restart: false });
      await Promise.race([this.ended, new Promise((resolve) => setTimeout(resolve, graceSeconds * 1000).unref())]);
    }
    this.kill();
    await this.ended;
    unguard(this);
    for (const socket of [this.shell, this.control, this.iopub, this.stdin]) socket.close();
  }

  /** Kills the kernel's process group at once. */
  kill(): void {
    try {
      if (this.pid > 0) process.kill(-this.pid, 'SIGKILL');
    } catch {
      // It has already ended.
    }
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  private async send(socket: zmq.Dealer, type: string, content: Record<string, unknown>): Promise<void> {
    await socket.send(encodeMessage(this.key, newHeader(type, this.session), content));
  }

  private async listen(socket: zmq.Dealer | zmq.Subscriber): Promise<void> {
    for await (const frames of socket) {
      const message = decodeMessage(this.key, frames as Buffer[]);
      if (message) this.receive(message, socket === this.iopub);
    }
  }

  private receive(message: Message, published: boolean): void {
    if (published) this.heard = true;
    const { msg_type: type } = message.header;
    const parent = message.parent.msg_id;
    if (parent === undefined) return;
    if (published && type !== 'status') this.outputs.get(parent)?.(message);
    if (!published && this.questions.has(parent)) {
      this.questions.get(parent)!(message.content);
      this.questions.delete(parent);
    }
    const pending = this.pending.get(parent);
    if (pending === undefined) return;
    if (type === 'input_request') {
      const { prompt, password } = message.content;
      const value = pending.onInput?.(String(prompt), password === true) ?? '';
      void this.send(this.stdin, 'input_reply', { value });
    }
    if (published && type === 'status' && message.content.execution_state === 'idle') pending.idle = true;
    if (!published && type === 'execute_reply') {
      const { status, execution_count: count } = message.content;
      pending.reply = {
        status: status === 'ok' ? 'ok' : 'error',
        executionCount: typeof count === 'number' ? count : null,
      };
    }
    if (pending.reply && pending.idle) pending.resolve(pending.reply);
  }

  private death(): KitError {
    const printed = this.printed.trim();
    const message = `The notebook kernel ended (${this.end ?? 'unknown reason'}).`;
    return new KitError(printed ? `${message} It printed last:\n${printed}` : message, { code: 'KERNEL_ENDED' });
  }
}
