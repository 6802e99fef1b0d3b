// What a sweep will do: the runs of studies, which of them are there already, and how long the others will take.
import path from 'node:path';
import stableStringify from 'safe-stable-stringify';
import { datasets } from '../data/catalog';
import type { RunSpec } from '../transfer/spec';
import { methods } from '../transfer/methods';
import { titleOf } from './finetune';
import { RunStore } from './store';
import { studies } from './studies';

/** Runs of one study that differ in their seed alone. */
export interface SweepRow {
  study: string;
  dataset: string;
  backbone: string;
  method: string;
  seeds: number[];
  /** How many are not in the store. */
  missing: number;
  /** Hours that these will take; null when there is nothing to estimate from. */
  hours: number | null;
}

/** A sweep before it begins. */
export interface SweepPlan {
  rows: SweepRow[];
  /** Every run once, in the order of the studies. */
  specs: RunSpec[];
  missing: number;
  hours: number | null;
  /** The estimate in words, with what it assumes. */
  estimate: string;
  keepWeights: boolean;
  titleOf: (spec: RunSpec) => string;
}

/** Training images per second that are assumed for ResNet-50 at 224 pixels on a data-centre GPU, where nothing was measured. */
const ASSUMED_GPU_PACE = 300;

/** Plans a sweep. @param options.studies default: all. */
export async function sweepPlan(options: { studies?: readonly string[]; scale: string; runs?: string; imagesPerSecond?: number }): Promise<SweepPlan> {
  const names = options.studies ?? studies.list().map(({ name }) => name);
  const store = new RunStore(options.runs);
  const records = store.list();
  const keyOf = (spec: RunSpec, dataset: string): string => stableStringify({ ...spec, dataset, imageSize: null, resizeSize: null })!;
  const there = new Set(records.map((record) => keyOf(record.spec, record.dataset.name)));
  const pace = options.imagesPerSecond ?? measuredPace(records) ?? (options.scale === 'paper' ? ASSUMED_GPU_PACE : null);
  const rows: SweepRow[] = [];
  const unique = new Map<string, { spec: RunSpec; isMissing: boolean; seconds: number | null }>();
  for (const study of names) {
    for (const spec of studies.specs(study, { scale: options.scale })) {
      const dataset = path.basename(spec.dataset);
      const isMissing = !there.has(keyOf(spec, dataset));
      const seconds = pace === null ? null : secondsOf(spec, pace);
      unique.set(stableStringify(spec)!, { spec, isMissing, seconds });
      const method = methods.nameOf(spec);
      let row = rows.find((row) => row.study === study && row.dataset === dataset && row.backbone === spec.backbone && row.method === method);
      if (row === undefined) rows.push((row = { study, dataset, backbone: spec.backbone, method, seeds: [], missing: 0, hours: 0 }));
      row.seeds.push(spec.seed);
      if (!isMissing) continue;
      row.missing++;
      row.hours = row.hours === null || seconds === null ? null : row.hours + seconds / 3600;
    }
  }
  const toMake = [...unique.values()].filter(({ isMissing }) => isMissing);
  const seconds = toMake.every((run) => run.seconds !== null) ? toMake.reduce((sum, run) => sum + run.seconds!, 0) : null;
  const basis = options.imagesPerSecond !== undefined ? 'as given' : measuredPace(records) !== null ? 'the mean of the runs in the store' : 'an assumption for one GPU; measure with `npm run bench -- train-step`';
  return {
    rows,
    specs: [...unique.values()].map(({ spec }) => spec),
    missing: toMake.length,
    hours: seconds === null ? null : seconds / 3600,
    estimate: seconds === null ? 'No estimate: nothing like them was run here, or a data set is not known yet; see --images-per-second.' : `Estimate: ${(seconds / 3600).toFixed(1)} hours on one device at ${pace!.toFixed(0)} training images per second (${basis}).`,
    keepWeights: names.some((name) => studies.get(name).keepWeights),
    titleOf,
  };
}

/** Images per second over whole runs, evaluation and set-up included; null when there are none. */
function measuredPace(records: ReturnType<RunStore['list']>): number | null {
  const [images, seconds] = records.reduce(([images, seconds], { dataset, epochs, wallSeconds }) => [images + dataset.train * epochs.length, seconds + wallSeconds], [0, 0]);
  return seconds > 0 ? images / seconds : null;
}

/** Seconds of a run at `pace` training images per second; null for a data set whose size is not known. */
function secondsOf(spec: RunSpec, pace: number): number | null {
  const known = datasets.list().find(({ name }) => name === spec.dataset);
  const perClass = spec.limits.trainPerClass;
  if (known === undefined) return perClass === null ? null : (10 * perClass * spec.epochs) / pace;
  const images = perClass === null ? known.counts.train : Math.min(known.counts.train, perClass * known.classes.length);
  return (images * spec.epochs) / pace;
}
