// The training step of ResNet-50 by several contenders, one process after another.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import Table from 'cli-table3';
import type { Measurement } from './train-step-contender';

const CONTENDERS = { compiled: 'rifle-kit, compiled', eager: 'rifle-kit, eager', layers: 'tfjs-layers, as shipped' } as const;

/** Options of the command. */
export interface TrainStepOptions {
  batchSize: number;
  imageSize: number;
  steps: number;
  json?: boolean;
}

/** Measures every contender and prints images per second, peak memory, and their ratios to the stock one. */
export async function trainStep({ batchSize, imageSize, steps, json }: TrainStepOptions): Promise<void> {
  const results: Record<string, Measurement> = {};
  for (const [name, title] of Object.entries(CONTENDERS)) {
    process.stderr.write(`${title}: 1 + ${steps} steps ...\n`);
    const { stdout } = await promisify(execFile)(process.execPath, [path.join(__dirname, 'train-step-contender.js'), name, String(batchSize), String(imageSize), String(steps)]);
    results[name] = JSON.parse(stdout.trim().split('\n').pop()!) as Measurement;
  }
  if (json) {
    console.log(JSON.stringify({ benchmark: 'train-step', network: 'ResNet-50', batchSize, imageSize, steps, date: new Date().toISOString().slice(0, 10), node: process.version, results }, null, 2));
    return;
  }
  const stock = results.layers;
  const table = new Table({ head: [`ResNet-50, ${imageSize} px, batch ${batchSize}`, 'images/s', 'ratio', 'peak MB', 'ratio'], style: { head: [], border: [] } });
  for (const [name, title] of Object.entries(CONTENDERS)) {
    const { imagesPerSecond, peakMb } = results[name];
    table.push([title, imagesPerSecond.toFixed(2), (imagesPerSecond / stock.imagesPerSecond).toFixed(2), peakMb.toFixed(0), (peakMb / stock.peakMb).toFixed(2)]);
  }
  console.log(table.toString());
  console.log('Median of the timed steps. The compiled peak includes recording, which runs the step once eagerly.');
}
