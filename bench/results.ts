// The results that are kept: bench/results/<date>-<machine>.json, one file for all benchmarks of a machine and day.
import fs from 'node:fs';
import path from 'node:path';
import { KitError } from '../src/base/errors';
import { packageRoot } from '../src/base/home';
import { writeWhole } from '../src/base/files/write-whole';
import { machine, machineSlug, type Machine } from './machine';

/**
 * One measurement of a benchmark: what was measured, whether the machine was quiet meanwhile, and with which versions.
 */
export interface Measured {
  quiet: boolean;
  versions: Record<string, string>;
}

/** A file of results. */
export interface ResultFile {
  /** YYYY-MM-DD. */
  date: string;
  machine: Machine;
  /** By the name of the benchmark. */
  benchmarks: Record<string, Measured[]>;
}

/** Where results are kept. */
export const resultsFolder = (): string => path.join(packageRoot(), 'bench', 'results');

/**
 * Adds `measured` to today's file of this machine, in place of what has the same `key` there.
 * @returns the file.
 */
export async function save<M extends Measured>(
  benchmark: string,
  measured: M[],
  key: (each: M) => string,
  folder = resultsFolder(),
): Promise<string> {
  const date = new Date().toISOString().slice(0, 10);
  const here = machine();
  const file = path.join(folder, `${date}-${machineSlug(here)}.json`);
  const kept: ResultFile = fs.existsSync(file) ? readResults(file) : { date, machine: here, benchmarks: {} };
  const fresh = new Set(measured.map(key));
  kept.benchmarks[benchmark] = [
    ...((kept.benchmarks[benchmark] ?? []) as M[]).filter((each) => !fresh.has(key(each))),
    ...measured,
  ];
  fs.mkdirSync(folder, { recursive: true });
  await writeWhole(file, JSON.stringify(kept, null, 2) + '\n');
  return file;
}

/** The results in `file`. @throws KitError when it is no such file. */
export function readResults(file: string): ResultFile {
  try {
    const content = JSON.parse(fs.readFileSync(file, 'utf8')) as ResultFile;
    if (typeof content.date === 'string' && typeof content.benchmarks === 'object') return content;
    throw new Error('it lacks a date or benchmarks');
  } catch (cause) {
    throw new KitError(`${path.relative(process.cwd(), file)} is not a file of results: ${(cause as Error).message}`, {
      code: 'BENCH_RESULTS',
      fix: 'Take it away, and run the benchmark with --save again.',
      cause,
    });
  }
}
