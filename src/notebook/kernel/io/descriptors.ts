// What reaches the process's standard output past `process.stdout`: `fs.writeSync(1)` and child processes that inherit
// it. The descriptor becomes a file without a name, which is read whenever something is printed.
import childProcess from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Bytes after which the file is emptied. */
const LIMIT = 64 * 1024 * 1024;

/** A file that text is appended to, and read from. */
class Spool {
  private readonly reader: number;
  /** The descriptor that is written to. */
  readonly writer: number;
  private at = 0;
  private readonly decoder = new TextDecoder();

  /** @param before what frees the descriptor that the file is to get. */
  constructor(before?: () => void) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-output-'));
    const file = path.join(folder, 'output');
    fs.writeFileSync(file, '', { mode: 0o600 });
    this.reader = fs.openSync(file, 'r+');
    before?.();
    this.writer = fs.openSync(file, 'a');
    fs.rmSync(folder, { recursive: true });
  }

  /** What was written since the last call. */
  read(): string {
    const { size } = fs.fstatSync(this.reader);
    if (size <= this.at) return '';
    const bytes = Buffer.alloc(size - this.at);
    this.at += fs.readSync(this.reader, bytes, 0, bytes.length, this.at);
    if (this.at >= LIMIT) {
      fs.ftruncateSync(this.reader, 0);
      this.at = 0;
    }
    return this.decoder.decode(bytes, { stream: true });
  }
}

/** The output of descriptors and children; `null` where it cannot be caught. */
export class DescriptorOutput {
  private constructor(
    private readonly stdout: Spool,
    private readonly stderr: Spool,
  ) {}

  /**
   * Takes over standard output, and the standard error of child processes. To be called before another thread may open
   * a file.
   */
  static take(): DescriptorOutput | null {
    try {
      const stderr = new Spool();
      // A file that is opened gets the lowest free number: that of standard output.
      const stdout = new Spool(() => fs.closeSync(1));
      const output = new DescriptorOutput(stdout, stderr);
      redirectChildren(stdout.writer, stderr.writer);
      return output;
    } catch {
      return null; // no temporary folder: such output is lost, as it was before
    }
  }

  /** What was written since the last call. */
  read(): { stdout: string; stderr: string } {
    return { stdout: this.stdout.read(), stderr: this.stderr.read() };
  }
}

type Options = { stdio?: unknown };

/** From now on a child that inherits standard error writes to `stderr`: the kernel's own has TensorFlow's messages. */
function redirectChildren(stdout: number, stderr: number): void {
  const inherited = (stdio: unknown): unknown => {
    if (stdio === 'inherit') return ['inherit', stdout, stderr];
    if (!Array.isArray(stdio)) return stdio;
    return stdio.map((each: unknown, index) => {
      const isInherited = each === 'inherit' || each === index;
      if (each === process.stdout || (index === 1 && isInherited)) return stdout;
      return each === process.stderr || (index === 2 && isInherited) ? stderr : each;
    });
  };
  for (const name of ['spawn', 'spawnSync', 'execSync', 'execFileSync', 'fork'] as const) {
    const own = childProcess[name] as (...values: unknown[]) => unknown;
    (childProcess as unknown as Record<string, unknown>)[name] = (...values: unknown[]): unknown => {
      const at = values.findIndex((each) => typeof each === 'object' && each !== null && !Array.isArray(each));
      const options = (at < 0 ? {} : values[at]) as Options & { silent?: boolean };
      if (name === 'fork' && options.stdio === undefined && options.silent !== true)
        return own(...values.filter((_, i) => i !== at), { ...options, stdio: ['inherit', stdout, stderr, 'ipc'] });
      if (options.stdio !== undefined) values[at] = { ...options, stdio: inherited(options.stdio) };
      return own(...values);
    };
  }
}
