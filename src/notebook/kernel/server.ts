// The kernel's sockets: requests come in, are executed one after the other, and what cells do is published.
import * as zmq from 'zeromq';
import {
  addressOf,
  decodeMessage,
  encodeMessage,
  newHeader,
  ReceivedMessages,
  type Connection,
  type Header,
  type Message,
} from '../runner/wire';

/** What a request is answered with; `status` is `ok` unless it says otherwise. */
export type Reply = Record<string, unknown>;

/** What the server asks of the kernel. */
export interface Handler {
  /** Runs a cell; what it publishes on the way goes to `publish`, what it asks to `ask`. */
  execute(request: Message, publish: Publisher, ask: Ask): Promise<Reply & { status: 'ok' | 'error' }>;
  /** Any other request that has an answer, by its type without `_request`; `null` when it has none. */
  answer(type: string, message: Message, publish: Publisher): Reply | null;
  /** Asked to end. */
  shutdown(restart: boolean): void;
}

/** Publishes a message on behalf of the request that is executed. */
export type Publisher = (
  type: string,
  content: Record<string, unknown>,
  metadata?: Record<string, unknown>,
  buffers?: Buffer[],
) => void;

/** Asks the client whose request is executed for a line of text. One question at a time. */
export type Ask = (prompt: string, isPassword: boolean) => Promise<string>;

/** Bytes of a message on the socket of answers. */
const MOST_ANSWER = 2 ** 20;

/** Time between a failure and its being told, in which cells that were sent before may still arrive, milliseconds. */
const ARRIVAL = 30;

/** Bytes of a frame of a request: any user of the machine can send to a port, and what waits is in memory. */
const MOST_REQUEST = 64 * 2 ** 20;

/** The sockets of one kernel. */
export class KernelServer {
  // Nothing is dropped or waits for a slow reader: what a cell publishes is bounded elsewhere.
  private readonly iopub = new zmq.Publisher({ linger: 1000, sendHighWaterMark: 0, sendTimeout: 0 });
  private readonly shell = new zmq.Router({
    linger: 1000,
    sendHighWaterMark: 0,
    sendTimeout: 0,
    receiveHighWaterMark: 16,
    maxMessageSize: MOST_REQUEST,
  });
  private readonly stdin = new zmq.Router({ linger: 0, receiveHighWaterMark: 4, maxMessageSize: MOST_ANSWER });
  private readonly received = new ReceivedMessages();
  private readonly queue: Message[] = [];
  private executing: Header | null = null;
  /** The question that waits for its answer. */
  private question: { id: string; resolve: (answer: string) => void } | null = null;
  private lastQuestion: Promise<unknown> = Promise.resolve();
  private readonly session = newHeader('', '').msg_id;

  constructor(
    private readonly connection: Connection,
    private readonly handler: Handler,
  ) {}

  /** Binds the sockets and answers from then on. @throws when a port is taken. */
  async start(): Promise<void> {
    const { connection } = this;
    for (const [socket, port] of [
      [this.iopub, connection.iopub_port],
      [this.shell, connection.shell_port],
      [this.stdin, connection.stdin_port],
    ] as const) {
      try {
        await socket.bind(addressOf(connection, port));
      } catch (cause) {
        throw new Error(`port ${port}: ${(cause as Error).message}`, { cause });
      }
    }
    this.publish({}, 'status', { execution_state: 'starting' });
    void this.listen();
    void this.listenForAnswers();
  }

  /** Publishes as an answer to the request `parent`. */
  publish(
    parent: Partial<Header>,
    type: string,
    content: Record<string, unknown>,
    metadata: Record<string, unknown> = {},
    buffers: Buffer[] = [],
  ): void {
    void this.iopub.send(
      encodeMessage(this.connection.key, newHeader(type, this.session), content, {
        parent,
        metadata,
        identities: [`kernel.rifle.${type}`],
        buffers,
      }),
    );
  }

  /** A request that came by the control socket, answered there by nobody else. */
  control(frames: readonly Buffer[]): void {
    const message = decodeMessage(this.connection.key, frames);
    if (message !== null)
      this.publish(message.header, 'status', { execution_state: this.executing === null ? 'idle' : 'busy' });
  }

  close(): void {
    for (const socket of [this.iopub, this.shell, this.stdin]) socket.close();
  }

  private async listen(): Promise<void> {
    for await (const frames of this.shell) {
      const message = this.received.decode(this.connection.key, frames);
      if (message === null) continue;
      const { msg_type: type } = message.header;
      if (type === 'execute_request') {
        this.queue.push(message);
        void this.work();
      } else if (type === 'shutdown_request') {
        this.reply(message, 'shutdown_reply', { restart: message.content.restart === true });
        this.handler.shutdown(message.content.restart === true);
      } else this.answer(message);
    }
  }

  /** Asks the sender of `to`. Questions that are asked together are asked one after the other. */
  private ask(to: Message, prompt: string, password: boolean): Promise<string> {
    const isOver = (): boolean => this.executing !== to.header;
    const asked = this.lastQuestion.then(async () => {
      if (isOver()) return new Promise<string>(() => undefined);
      const header = newHeader('input_request', this.session);
      const answered = new Promise<string>((resolve) => (this.question = { id: header.msg_id, resolve }));
      const options = { parent: to.header, identities: to.identities };
      await this.stdin.send(encodeMessage(this.connection.key, header, { prompt, password }, options));
      return answered;
    });
    this.lastQuestion = asked.catch(() => undefined);
    return asked;
  }

  private async listenForAnswers(): Promise<void> {
    for await (const frames of this.stdin) {
      const message = this.received.decode(this.connection.key, frames);
      if (message?.header.msg_type !== 'input_reply') continue;
      const { question } = this;
      // A client may leave out which question it answers.
      const answered = message.parent.msg_id;
      if (question === null || (answered !== undefined && answered !== question.id)) continue;
      this.question = null;
      question.resolve(String(message.content.value ?? ''));
    }
  }

  /** Answers at once, also while a cell waits for something. */
  private answer(message: Message): void {
    this.publish(message.header, 'status', { execution_state: 'busy' });
    try {
      const type = message.header.msg_type.replace(/_request$/, '');
      const publish: Publisher = (...published) => this.publish(message.header, ...published);
      const reply = this.handler.answer(type, message, publish);
      if (reply !== null) this.reply(message, `${type}_reply`, reply);
    } catch (error) {
      this.reply(message, message.header.msg_type.replace(/_request$/, '_reply'), {
        status: 'error',
        ename: (error as Error).name,
        evalue: (error as Error).message,
        traceback: [],
      });
    } finally {
      this.publish(message.header, 'status', { execution_state: 'idle' });
      // The last status is what a notebook shows: the cell is still running.
      if (this.executing !== null) this.publish(this.executing, 'status', { execution_state: 'busy' });
    }
  }

  private async work(): Promise<void> {
    if (this.executing !== null) return;
    for (let message = this.queue.shift(); message !== undefined; message = this.queue.shift()) {
      const { header } = message;
      this.executing = header;
      this.publish(header, 'status', { execution_state: 'busy' });
      const later: [string, Record<string, unknown>, Record<string, unknown>?][] = [];
      const publish: Publisher = (type, content, metadata, buffers) => {
        if (type === 'error') later.push([type, content, metadata]);
        else this.publish(header, type, content, metadata, buffers);
      };
      const ask: Ask = (prompt, isPassword) => this.ask(message, prompt, isPassword);
      const reply = await this.handler.execute(message, publish, ask);
      this.question = null;
      this.lastQuestion = Promise.resolve();
      // Cells that were sent together are given up together; those sent after the failure was told are run.
      const stops = reply.status === 'error' && message.content.stop_on_error !== false;
      if (stops) await new Promise((resolve) => setTimeout(resolve, ARRIVAL));
      const given = stops ? this.queue.splice(0) : [];
      for (const [type, content, metadata] of later) this.publish(header, type, content, metadata);
      this.reply(message, 'execute_reply', reply);
      this.publish(header, 'status', { execution_state: 'idle' });
      for (const each of given) {
        this.publish(each.header, 'status', { execution_state: 'busy' });
        this.reply(each, 'execute_reply', { status: 'aborted' });
        this.publish(each.header, 'status', { execution_state: 'idle' });
      }
    }
    this.executing = null;
  }

  private reply(to: Message, type: string, content: Reply): void {
    void this.shell.send(
      encodeMessage(
        this.connection.key,
        newHeader(type, this.session),
        { status: 'ok', ...content },
        { parent: to.header, identities: to.identities },
      ),
    );
  }
}
