// A program from its start to its end: how long it takes, what it prints last, and whether others worked meanwhile.
import { spawn } from 'node:child_process';
import { KitError } from '../src/base/errors';
import type { Command } from './contender';
import { watchOthers } from './machine';

/** A program that has run. */
export interface Timed {
  seconds: number;
  /** What it wrote to stdout. */
  output: string;
  /** Cores that others kept busy; null where nobody can say. */
  others: number | null;
}

/**
 * Runs a program to its end. @param onError called with what it writes to stderr, and the seconds since its start.
 * @throws KitError when it fails.
 */
export async function timed(
  { command, args, env }: Command,
  onError: (text: string, seconds: number) => void = () => undefined,
): Promise<Timed> {
  const others = watchOthers();
  const began = performance.now();
  const child = spawn(command, args, {
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4000);
    onError(text, (performance.now() - began) / 1000);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new KitError(`${command} could not be started: ${cause.message}`, { code: 'BENCH_TIMED', cause })),
    );
    child.once('close', resolve);
  });
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0)
    throw new KitError(`it ended with exit code ${code}: ${errors.trim().split('\n').pop()}`, { code: 'BENCH_TIMED' });
  return { seconds, output, others: others() };
}

/** Runs a program whose last line is JSON. @throws KitError also when that says that it cannot take part. */
export async function timedJson<T>(command: Command): Promise<Timed & { printed: T }> {
  const run = await timed(command);
  const printed = JSON.parse(run.output.trim().split('\n').pop()!) as T & { absent?: string };
  if (printed.absent !== undefined) throw new KitError(printed.absent, { code: 'BENCH_TIMED' });
  return { ...run, printed };
}
