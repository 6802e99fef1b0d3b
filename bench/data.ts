// Decoding and preparing images against torchvision's pipeline, and the training input from the pixel cache.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import Table from 'cli-table3';
import sharp from 'sharp';
import { packageRoot } from '../src/base/home';
import type { DataMeasurement } from './data-contender';

/** Options of the command. */
export interface DataBenchOptions {
  images: number;
  rounds: number;
  shortSide: number;
  imageSize: number;
  python?: string;
  json?: boolean;
}

/**
 * torchvision's pipeline on the same files, as its ImageFolder does it: PIL decodes, converts and resizes; one thread.
 */
const TORCHVISION = `
import json, os, resource, sys, time
import torch, torchvision
from torchvision import transforms
from torchvision.datasets.folder import default_loader
torch.set_num_threads(1)
folder, rounds, short_side = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
files = sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith('.jpg'))
resize = transforms.Resize(short_side)
def work():
    for f in files:
        resize(default_loader(f)).tobytes()
work()
best = None
for _ in range(rounds):
    cpu, start = time.process_time(), time.perf_counter()
    work()
    row = {'images': len(files), 'seconds': time.perf_counter() - start, 'cpuSeconds': time.process_time() - cpu}
    best = row if best is None or row['cpuSeconds'] < best['cpuSeconds'] else best
best['peakMb'] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
best['torchvision'] = torchvision.__version__
print(json.dumps(best))
`;

/**
 * Photographs of 500 x 375 pixels, all different: pieces of the test's photograph, enlarged. @param first the number of
 * the first one. Default 0.
 */
export async function makePhotographs(folder: string, count: number, first = 0): Promise<void> {
  const source = path.join(packageRoot(), 'test', 'fixtures', 'data', 'rocket.jpg');
  const { width, height } = await sharp(source).metadata();
  for (let i = first; i < first + count; i++) {
    const [w, h] = [400, 300];
    const region = { left: (i * 37) % (width - w), top: (i * 53) % (height - h), width: w, height: h };
    await sharp(source)
      .extract(region)
      .resize(500, 375)
      .jpeg({ quality: 90 })
      .toFile(path.join(folder, `${String(i).padStart(5, '0')}.jpg`));
  }
}

/**
 * Measures every contender in a process of its own and prints images per CPU second, which other work on the machine
 * changes little.
 */
export async function dataBench({
  images,
  rounds,
  shortSide,
  imageSize,
  python,
  json,
}: DataBenchOptions): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-bench-data-'));
  try {
    await makePhotographs(folder, images);
    const home = path.join(folder, 'home');
    const run = async (command: string, args: string[]) => {
      const { stdout } = await promisify(execFile)(command, args, {
        env: { ...process.env, RIFLE_HOME: home, UV_THREADPOOL_SIZE: '1', OMP_NUM_THREADS: '1' },
        maxBuffer: 1e7,
      });
      return JSON.parse(stdout.trim().split('\n').pop()!) as DataMeasurement;
    };
    const ours = (name: string, times: number) =>
      run(process.execPath, [
        path.join(__dirname, 'data-contender.js'),
        name,
        folder,
        String(times),
        String(shortSide),
        String(imageSize),
      ]);
    const results: Record<string, DataMeasurement> = {
      prepare: await ours('prepare', rounds),
      'train-input': await ours('train-input', rounds * 10),
    };
    if (python !== undefined)
      results.torchvision = await run(python, ['-c', TORCHVISION, folder, String(rounds), String(shortSide)]);
    const load = os.loadavg()[0];
    if (json) {
      console.log(
        JSON.stringify(
          {
            benchmark: 'data',
            images,
            shortSide,
            imageSize,
            date: new Date().toISOString().slice(0, 10),
            node: process.version,
            load,
            results,
          },
          null,
          2,
        ),
      );
      return;
    }
    const perCpu = ({ images: n, cpuSeconds }: DataMeasurement) => n / cpuSeconds;
    const table = new Table({
      head: ['500 x 375 JPEG, one thread', 'images/s of CPU', 'images/s', 'ratio', 'peak MB'],
      style: { head: [], border: [] },
    });
    const titles = {
      prepare: `decode and resize to ${shortSide}, rifle-kit`,
      torchvision: `decode and resize to ${shortSide}, torchvision`,
      'train-input': `training input at ${imageSize}, crop and flip, from the cache`,
    };
    for (const [name, title] of Object.entries(titles)) {
      const result = results[name];
      if (result === undefined) continue;
      const ratio =
        name === 'train-input' || results.torchvision === undefined
          ? ''
          : (perCpu(result) / perCpu(results.torchvision)).toFixed(2);
      table.push([
        title,
        perCpu(result).toFixed(0),
        (result.images / result.seconds).toFixed(0),
        ratio,
        result.peakMb.toFixed(0),
      ]);
    }
    console.log(table.toString());
    console.log(
      `The fastest of the rounds. Images per second of CPU time, all threads together, is what one core gives. Load of the machine: ${load.toFixed(1)} on ${os.availableParallelism()} cores.`,
    );
    if (python === undefined)
      console.log('For torchvision beside it: --python PYTHON (or RIFLE_BENCH_PYTHON), a Python that has torchvision.');
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
