// What cells print: taken from the process's streams, sent in pieces, and cut where nobody would read it.

import type { DescriptorOutput } from './descriptors';

type Send = (name: 'stdout' | 'stderr', text: string) => void;

/** Characters that a cell may print. The first part is sent as it comes; of what follows, the end is kept. */
const HEAD = 900_000;
const TAIL = 100_000;
/**
 * Pieces of a cell that are sent at once; later ones wait to be sent together, so that a million lines are not a
 * million messages.
 */
const AT_ONCE = 100;
/** Time between two looks at what child processes wrote, milliseconds. */
const POLL = 100;
/** Longest time that printed text waits, milliseconds. */
const DELAY = 25;

/** The printed text of one cell after the other. */
export class PrintedText {
  private waiting: { name: 'stdout' | 'stderr'; text: string }[] = [];
  private waitingLength = 0;
  private sentAt = 0;
  private pieces = 0;
  private timer: NodeJS.Timeout | null = null;
  private printed = 0;
  private tail: { name: 'stdout' | 'stderr'; text: string }[] = [];
  private tailLength = 0;
  private dropped = 0;
  private readonly decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };

  constructor(
    private readonly send: Send,
    private readonly descriptors: DescriptorOutput | null = null,
  ) {}

  /** From now on what the process prints goes to the notebook. */
  capture(): void {
    setInterval(() => this.drain(), POLL).unref();
    for (const name of ['stdout', 'stderr'] as const) {
      process[name].write = ((
        chunk: string | Uint8Array,
        encoding?: BufferEncoding | (() => void),
        done?: () => void,
      ): boolean => {
        const text = typeof chunk === 'string' ? chunk : this.decoders[name].decode(chunk, { stream: true });
        this.drain();
        this.add(name, text);
        const callback = typeof encoding === 'function' ? encoding : done;
        if (callback) process.nextTick(callback);
        return true;
      }) as typeof process.stdout.write;
    }
  }

  /** A new cell begins: it may print as much as any other. */
  beginCell(): void {
    this.drain();
    this.flush();
    this.pieces = 0;
    this.printed = 0;
    this.dropped = 0;
    this.tail = [];
    this.tailLength = 0;
  }

  /** The cell has ended: sends what still waits, with a note when some was left out. */
  endCell(): void {
    this.drain();
    if (this.tailLength > 0) {
      const tail = this.tail;
      this.tail = [];
      this.tailLength = 0;
      if (this.dropped > 0) {
        const left = `${(this.dropped / 1e6).toFixed(1)} MB left out here`;
        const rule = `a cell shows the first ${HEAD / 1e6} MB and the last ${TAIL / 1e6} MB that it prints`;
        this.queue('stderr', `\n… ${left}: ${rule}. Write such output to a file.\n`);
        this.dropped = 0;
      }
      for (const { name, text } of tail) this.queue(name, text);
    }
    this.flush();
  }

  /** Sends what waits. */
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.sentAt = performance.now();
    const waiting = this.waiting;
    this.waiting = [];
    this.waitingLength = 0;
    for (const { name, text } of waiting) this.send(name, text);
  }

  /** Adds what was written to the descriptors themselves, which came before what is printed now. */
  private drain(): void {
    const { stdout = '', stderr = '' } = this.descriptors?.read() ?? {};
    this.add('stdout', stdout);
    this.add('stderr', stderr);
  }

  private add(name: 'stdout' | 'stderr', text: string): void {
    if (text === '') return;
    if (this.printed < HEAD) {
      const head = text.slice(0, wholeAt(text, HEAD - this.printed));
      this.printed += text.length;
      this.queue(name, head);
      text = text.slice(head.length);
      if (text === '') return;
    } else this.printed += text.length;
    append(this.tail, name, text);
    this.tailLength += text.length;
    // Cut now and then, not at every line.
    if (this.tailLength > 2 * TAIL) this.cutTail();
  }

  private cutTail(): void {
    while (this.tailLength > TAIL) {
      const [first] = this.tail;
      const cut = Math.min(first.text.length, this.tailLength - TAIL);
      if (cut === first.text.length) this.tail.shift();
      else first.text = first.text.slice(wholeAt(first.text, cut));
      this.dropped += cut;
      this.tailLength -= cut;
    }
  }

  private queue(name: 'stdout' | 'stderr', text: string): void {
    append(this.waiting, name, text);
    this.waitingLength += text.length;
    // Looked at here too: while a cell computes without a pause no timer runs.
    if (this.pieces++ < AT_ONCE || performance.now() - this.sentAt > DELAY || this.waitingLength > 100_000)
      this.flush();
    else this.timer ??= setTimeout(() => this.flush(), DELAY);
  }
}

/** The same position, or the next one where it would cut a character of two units in half. */
function wholeAt(text: string, at: number): number {
  const unit = text.charCodeAt(at - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? at + 1 : at;
}

function append(texts: { name: 'stdout' | 'stderr'; text: string }[], name: 'stdout' | 'stderr', text: string): void {
  const last = texts.at(-1);
  if (last?.name === name) last.text += text;
  else texts.push({ name, text });
}
