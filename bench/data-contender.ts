// One contender of `npm run bench -- data`, in a process of its own: prints images, seconds and CPU seconds as JSON.
import fs from 'node:fs';
import path from 'node:path';
import { BatchLoader } from '../src/data/batches/batches';
import type { Dataset } from '../src/data/dataset';
import { decode } from '../src/data/pixels/decode';
import { resizeShortSide } from '../src/data/pixels/resize';
import { openPixelCache } from '../src/data/pixels/pixel-cache';

/** What a contender has measured in its fastest round. CPU seconds are those of all its threads. */
export interface DataMeasurement {
  images: number;
  seconds: number;
  cpuSeconds: number;
  peakMb: number;
}

const [contender, folder, rounds, shortSide, imageSize] = process.argv
  .slice(2)
  .map((text, i) => (i < 2 ? text : Number(text))) as [string, string, number, number, number];
const files = fs
  .readdirSync(folder)
  .filter((name) => name.endsWith('.jpg'))
  .sort();

/** The fastest round, which other work on the machine disturbed least. */
async function measure(images: number, work: () => Promise<void>): Promise<void> {
  await work(); // once, not timed: compiles, fills the system's cache
  let best: DataMeasurement | undefined;
  for (let round = 0; round < rounds; round++) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    await work();
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const cpuSeconds = (user + system) / 1e6;
    if (best === undefined || cpuSeconds < best.cpuSeconds) best = { images, seconds, cpuSeconds, peakMb: 0 };
  }
  console.log(JSON.stringify({ ...best, peakMb: process.resourceUsage().maxRSS / 1000 }));
}

async function main(): Promise<void> {
  if (contender === 'prepare') {
    return measure(files.length, async () => {
      for (const file of files) resizeShortSide(await decode(path.join(folder, file)), shortSide);
    });
  }
  const samples = files.map((file, i) => ({ file, label: i % 2 }));
  const dataset: Dataset = {
    name: 'bench',
    root: folder,
    classes: ['a', 'b'],
    train: samples,
    test: [],
    hash: `bench ${folder}`,
    licence: '',
    citation: '',
  };
  const cache = await openPixelCache(dataset, { shortSide });
  const loader = new BatchLoader(cache, samples, { batchSize: 32, imageSize, seed: 1, train: true });
  let epoch = 0;
  let sum = 0;
  await measure(samples.length, async () => {
    for await (const batch of loader.epoch(epoch++)) sum += batch.images[0];
  });
  if (sum < 0) throw new Error('unreachable: keeps the batches from being left out');
  await loader.close();
}

void main();
