// The benchmark `store`: `rifle runs list`, a filter and a table over a store of ten thousand records, each a process
// of its own, as from the shell.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { RunStore } from '../src/runs/store/store';
import { methods } from '../src/transfer/methods';
import { syntheticRecord } from '../test/report/records';

/** What one command took. */
export interface StoreMeasurement {
  command: string;
  /** From its start to its end, start of Node included. */
  seconds: number;
  cpuSeconds: number;
  /** sha256 of what it printed: two versions that print the same numbers have the same. */
  printed: string;
}

/**
 * Records of 40 epochs: 20 data sets, 5 backbones, as many methods as there are names for, 10 seeds or what is left.
 */
function fill(store: RunStore, count: number): void {
  const names = methods
    .list()
    .map(({ name }) => name)
    .slice(0, 10);
  for (let i = 0; i < count; i++) {
    const [seed, method, place] = [i % 10, Math.floor(i / 10) % names.length, Math.floor(i / 10 / names.length)];
    const luck = createHash('sha256').update(String(i)).digest().readUInt32LE() / 2 ** 32;
    const record = syntheticRecord({
      method: names[method],
      seed,
      epochs: 40,
      dataset: `data-${place % 20}`,
      backbone: `backbone-${Math.floor(place / 20)}`,
      top1: Math.round(1000 * (0.7 + 0.01 * method + 0.05 * luck)) / 1000,
    });
    fs.mkdirSync(store.folder(record.id), { recursive: true });
    fs.writeFileSync(path.join(store.folder(record.id), 'record.json'), JSON.stringify(record));
  }
}

async function measure(args: string[]): Promise<StoreMeasurement> {
  const began = performance.now();
  const child = spawn(process.execPath, [path.join(__dirname, 'store-contender.js'), ...args], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  const printed = createHash('sha256');
  let usage = '';
  child.stdout!.on('data', (chunk: Buffer) => printed.update(chunk));
  (child.stdio[3] as NodeJS.ReadableStream).on('data', (chunk: Buffer) => (usage += chunk.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${String(code)}`);
  return {
    command: `rifle ${args.slice(0, -2).join(' ')}`,
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: Number(usage),
    printed: printed.digest('hex').slice(0, 16),
  };
}

/** Measures every command, the fastest of `rounds`, after one that makes the store's index. */
export async function storeBench({
  records,
  rounds,
  json = false,
}: {
  records: number;
  rounds: number;
  json?: boolean;
}): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-bench-store-'));
  try {
    fill(new RunStore(folder), records);
    const first = await measure(['runs', 'list', '--runs', folder]);
    const results = [{ ...first, command: `${first.command}, the first time: the index is made` }];
    for (const args of [
      ['runs', 'list'],
      ['runs', 'list', '--method', 'rifle', '--dataset', 'data-7'],
      ['runs', 'table', '--dataset', 'data-7'],
      ['runs', 'table'],
    ]) {
      const all: StoreMeasurement[] = [];
      for (let round = 0; round < rounds; round++) all.push(await measure([...args, '--runs', folder]));
      results.push(all.reduce((best, each) => (each.cpuSeconds < best.cpuSeconds ? each : best)));
    }
    if (json) console.log(JSON.stringify({ benchmark: 'store', records, results }, null, 2));
    else {
      console.log(
        `${records} records; the fastest of ${rounds}, start of Node included; load ${os.loadavg()[0].toFixed(1)} on ${os.availableParallelism()} cores`,
      );
      for (const { command, seconds, cpuSeconds, printed } of results)
        console.log(`${command}: ${seconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} s of CPU, printed ${printed}`);
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
