// The benchmark `grid`: how the cost of an experiment grows with runs, epochs, image size, batch size and classes, as
// exponents.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { makePhotographs } from './data';
import { kitVersion } from '../src/base/home';
import { internals } from '../src/engine/binding';
import { plan, runAll, type Grid } from '../src/studies/plan';
import { isQuiet, othersNow, watchOthers } from './machine';
import { fitExponent } from './quantiles';
import { save, type Measured } from './results';
import { terminalTable, type TableContent } from './tables';

/** An experiment of one size. */
interface Size {
  runs: number;
  epochs: number;
  imageSize: number;
  batchSize: number;
  classes: number;
}

const BASE: Size = { runs: 1, epochs: 2, imageSize: 64, batchSize: 16, classes: 4 };
/** What each dimension is varied over while the others stay. The images stay as many: more classes have fewer each. */
const VALUES: Record<keyof Size, number[]> = {
  runs: [1, 2, 4, 8],
  epochs: [2, 4, 8, 16],
  imageSize: [64, 96, 128, 192],
  batchSize: [4, 8, 16, 32],
  classes: [2, 4, 8, 16],
};
const IMAGES = 64;

/** What an experiment took: in all, and in its training steps. */
type Cost = Record<'seconds' | 'trainSeconds', number>;

/** How the cost grows in one dimension. */
export interface GridResult extends Measured {
  dimension: keyof Size;
  values: number[];
  /** Of the whole experiment, in one process that has made a run before. */
  seconds: number[];
  /** Of the training steps in it alone. */
  trainSeconds: number[];
  /** k of seconds = c value^k, by least squares of the logarithms; of the whole, and of the training steps. */
  exponent: number;
  trainExponent: number;
}

/** Measures, prints, and keeps the results where that is asked for. */
export async function grid({ save: keep, json }: { save?: boolean; json?: boolean }): Promise<void> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  say(
    `${Object.values(VALUES).flat().length} experiments of up to ${Math.max(...VALUES.runs)} runs on ${IMAGES} photographs: about 3 min on two cores.`,
  );
  const before = await othersNow();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-bench-grid-'));
  try {
    for (const classes of VALUES.classes) await makeClasses(path.join(folder, String(classes)), classes);
    await cost(BASE, folder, 'first'); // weights are read and programs made for the first time
    const results: GridResult[] = [];
    for (const [dimension, values] of Object.entries(VALUES) as [keyof Size, number[]][]) {
      const others = watchOthers();
      const costs: Cost[] = [];
      for (const value of values) {
        costs.push(await cost({ ...BASE, [dimension]: value }, folder, `${dimension}-${value}`));
        say(`${dimension} ${value}: ${costs.at(-1)!.seconds.toFixed(2)} s`);
      }
      const exponent = (of: (each: Cost) => number) => fitExponent(costs.map((each, i) => [values[i], of(each)]));
      results.push({
        ...{
          dimension,
          values,
          seconds: costs.map((each) => each.seconds),
          trainSeconds: costs.map((each) => each.trainSeconds),
        },
        ...{ exponent: exponent((each) => each.seconds), trainExponent: exponent((each) => each.trainSeconds) },
        versions: { 'rifle-kit': kitVersion(), node: process.version, libtensorflow: internals().binding.TF_Version },
        quiet: isQuiet(before) && isQuiet(others()),
      });
    }
    console.log(json ? JSON.stringify(results, null, 2) : terminalTable(gridTable(results)));
    if (keep) say(`Kept in ${await save('grid', results, (r) => r.dimension)}`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** An image folder of `IMAGES` training photographs in so many classes, and as many classes of one test photograph. */
async function makeClasses(root: string, classes: number): Promise<void> {
  for (let label = 0; label < classes; label++) {
    for (const [part, count] of [
      ['train', IMAGES / classes],
      ['test', 1],
    ] as const) {
      const place = path.join(root, part, String(label).padStart(2, '0'));
      fs.mkdirSync(place, { recursive: true });
      await makePhotographs(place, count, label * IMAGES);
    }
  }
}

async function cost({ runs, classes, ...size }: Size, folder: string, name: string): Promise<Cost> {
  const experiment: Grid = {
    spec: { dataset: path.join(folder, String(classes)), backbone: 'efficientnet_lite0.tf_in1k', ...size },
    methods: ['fine-tuning'],
    seeds: Array.from({ length: runs }, (_, seed) => seed),
  };
  const began = performance.now();
  const records = await runAll(plan(experiment), { runs: path.join(folder, 'runs', name) });
  return {
    seconds: (performance.now() - began) / 1000,
    trainSeconds: records.flatMap(({ epochs }) => epochs).reduce((sum, { trainSeconds }) => sum + trainSeconds, 0),
  };
}

/** A line for each dimension. */
export const gridTable = (results: GridResult[]): TableContent => ({
  head: ['dimension', 'values', 'seconds', 'exponent', 'seconds in training steps', 'exponent'],
  rows: results.map(({ dimension, values, seconds, exponent, trainSeconds, trainExponent, quiet }) => [
    `${dimension}${quiet ? '' : ' (NOT QUIET)'}`,
    values.join(', '),
    seconds.map((each) => each.toFixed(2)).join(', '),
    exponent.toFixed(2),
    trainSeconds.map((each) => each.toFixed(2)).join(', '),
    trainExponent.toFixed(2),
  ]),
});
