// A contender: a program under measurement, in a process of its own, which takes steps when it is told to.
import { execFileSync, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { createInterface, type Interface } from 'node:readline';
import { KitError } from '../src/base/errors';
import { watchOthers } from './machine';

/**
 * What a contender says first; then it takes as many steps as each line of its input says, and answers with a `Taken`.
 */
export interface Ready {
  /** Of everything that its figures depend on. */
  versions: Record<string, string>;
}

/** Some steps, taken. */
export interface Taken {
  seconds: number;
  /** After the last of them. */
  loss: number;
}

/** What a contender says instead, when it cannot take part. */
interface Absent {
  absent: string;
}

/** How a contender is started. */
export interface Command {
  command: string;
  args: string[];
  env?: Record<string, string>;
}

/** Free memory, as a fraction of all, below which a contender is ended before the system ends something else. */
const RESERVE = 0.04;

/** A contender that runs, and waits between its steps. */
export class Contender {
  versions: Record<string, string> = {};
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;
  private errors = '';
  private spared = false;
  private readonly guard: NodeJS.Timeout;

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.errors = (this.errors + text).slice(-4000)));
    child.stdin.on('error', () => undefined); // it has ended: `answer` tells why
    this.reader = createInterface({ input: child.stdout });
    this.lines = this.reader[Symbol.asyncIterator]();
    this.guard = setInterval(() => {
      if (availableFraction() > RESERVE) return;
      this.spared = true;
      child.kill('SIGKILL');
    }, 100);
  }

  /** Starts it and waits until it is ready. @throws KitError with its reason when it cannot take part. */
  static async start({ command, args, env }: Command): Promise<Contender> {
    const threads = String(os.availableParallelism());
    const child = spawn(command, args, {
      env: {
        ...process.env,
        OMP_NUM_THREADS: threads,
        TF_NUM_INTRAOP_THREADS: threads,
        TF_CPP_MIN_LOG_LEVEL: '2',
        ...env,
      },
      stdio: 'pipe',
    });
    const contender = new Contender(child);
    const failed = new Promise<never>((_, reject) =>
      child.once('error', (cause) =>
        reject(new KitError(`${command} could not be started: ${cause.message}`, { code: 'BENCH_CONTENDER', cause })),
      ),
    );
    try {
      contender.versions = ((await Promise.race([contender.answer(), failed])) as Ready).versions;
    } catch (error) {
      contender.stop();
      throw error;
    }
    return contender;
  }

  /** Has it take `steps`, and says how many cores others kept busy meanwhile. */
  async take(steps: number): Promise<Taken & { others: number | null }> {
    const others = watchOthers([this.child.pid!]);
    this.child.stdin.write(`${steps}\n`);
    const taken = (await this.answer()) as Taken;
    return { ...taken, others: others() };
  }

  /** The most memory that it has held since the start or the last `resetPeak`, MB; NaN where there is no /proc. */
  peakMb(): number {
    return this.statusMb('VmHWM');
  }

  /** The memory that it holds now, MB; NaN where there is no /proc. */
  heldMb(): number {
    return this.statusMb('VmRSS');
  }

  /** The memory of the GPU that it has taken, MB; null without one. */
  gpuMb(): number | null {
    try {
      return gpuMbOf(
        this.child.pid!,
        execFileSync('nvidia-smi', ['--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits'], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        }),
      );
    } catch {
      return null;
    }
  }

  private statusMb(field: string): number {
    try {
      return (
        Number(
          new RegExp(`${field}:\\s+(\\d+) kB`).exec(fs.readFileSync(`/proc/${this.child.pid}/status`, 'utf8'))![1],
        ) / 1024
      );
    } catch {
      return NaN;
    }
  }

  /** Restarts the count of the peak from the memory in use. */
  resetPeak(): void {
    try {
      fs.writeFileSync(`/proc/${this.child.pid}/clear_refs`, '5');
    } catch {
      // not Linux: there is no peak either
    }
  }

  /** Ends it. */
  stop(): void {
    clearInterval(this.guard);
    this.reader.close();
    this.child.kill('SIGKILL');
  }

  private async answer(): Promise<Ready | Taken> {
    for (;;) {
      const { value, done } = await this.lines.next();
      if (done) throw await this.ended();
      if (!value.startsWith('{')) continue; // a library that talks
      const message = JSON.parse(value) as Ready | Taken | Absent;
      if ('absent' in message) throw new KitError(message.absent, { code: 'BENCH_CONTENDER' });
      return message;
    }
  }

  private async ended(): Promise<KitError> {
    if (this.child.exitCode === null && this.child.signalCode === null)
      await new Promise((resolve) => this.child.once('close', resolve));
    if (this.spared)
      return new KitError('it was ended: the memory of the machine was nearly used up', { code: 'BENCH_CONTENDER' });
    const said = this.errors.trim().split('\n').pop() ?? '';
    return new KitError(
      `it ended (${this.child.signalCode ?? `exit code ${this.child.exitCode}`})${said === '' ? '' : `: ${said}`}`,
      { code: 'BENCH_CONTENDER' },
    );
  }
}

/**
 * The MB of process `pid` in a list of nvidia-smi, `pid, MB` a line; null when it is not there, as in a container that
 * has process numbers of its own.
 */
export function gpuMbOf(pid: number, list: string): number | null {
  const line = list.split('\n').find((each) => Number(each.split(',')[0]) === pid && each.includes(','));
  return line === undefined ? null : Number(line.split(',')[1]);
}

function availableFraction(): number {
  try {
    const meminfo = fs.readFileSync('/proc/meminfo', 'utf8');
    const kb = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(meminfo)![1]);
    return kb('MemAvailable') / kb('MemTotal');
  } catch {
    return 1;
  }
}

/** The side of the contender, in TypeScript: says that it is ready, then takes steps as told. */
export async function serve(versions: Record<string, string>, step: () => Promise<number> | number): Promise<void> {
  console.log(JSON.stringify({ versions } satisfies Ready));
  for await (const line of createInterface({ input: process.stdin })) {
    const began = performance.now();
    let loss = NaN;
    for (let i = 0; i < Number(line); i++) loss = await step();
    console.log(JSON.stringify({ seconds: (performance.now() - began) / 1000, loss } satisfies Taken));
  }
}

/** Says that this contender cannot take part, and why. */
export function sayAbsent(reason: string): void {
  console.log(JSON.stringify({ absent: reason } satisfies Absent));
}
