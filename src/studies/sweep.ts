// What a sweep will do: the runs of studies, which of them are there already, and how long the others will take.
import path from 'node:path';
import stableStringify from 'safe-stable-stringify';
import { backbones } from '../backbones/backbone';
import { KitError } from '../base/errors';
import { datasets } from '../data/catalog';
import type { RunSpec } from '../transfer/spec/spec';
import { methods } from '../transfer/methods';
import { timetable } from '../transfer/resets/reset';
import type { Pace } from './calibrate';
import { titleOf } from '../runs/finetune';
import { identifyRun } from '../runs/identify';
import type { BriefRecord } from '../runs/store/record-index';
import { RunStore } from '../runs/store/store';
import { scaleOf, studies } from './study';
import { requireVaried, variedText, type Vary } from './vary';

/** Runs of one study that differ in their seed alone. */
export interface SweepRow {
  study: string;
  dataset: string;
  backbone: string;
  method: string;
  /** The varied values in words, for example `learning rate 0.003`; empty when nothing varies. */
  varied: string;
  seeds: number[];
  /** How many are not in the store. */
  missing: number;
  /** Hours that these will take on one device; null when there is nothing to estimate from. */
  hours: number | null;
}

/** A sweep before it begins. */
export interface SweepPlan {
  rows: SweepRow[];
  /** Every run once, in the order of the studies. */
  specs: RunSpec[];
  /** Seconds that each will take on one device, 0 for one that is there; null without a basis. */
  seconds: (number | null)[];
  missing: number;
  /** On one device. */
  hours: number | null;
  /** The estimate in words, with what it assumes. */
  estimate: string;
  keepWeights: boolean;
  titleOf: (spec: RunSpec) => string;
}

/** Where an estimate comes from, best first. */
export type EstimateBasis = 'given' | 'calibrated' | 'same' | 'any' | 'assumed';

const BASIS: Record<EstimateBasis, string> = {
  given: 'the pace that was given',
  calibrated: 'a calibration of a few steps',
  same: 'finished runs of the same backbone, image size and regulariser',
  any: 'the mean of other finished runs: --calibrate measures',
  assumed: 'the pace that the scale assumes: --calibrate measures',
};

/** What `sweepPlan` may be given. */
export interface SweepPlanOptions {
  /** Default: all. */
  studies?: readonly string[];
  scale: string;
  /** Names or folders. Default: those of the scale. */
  datasets?: readonly string[];
  runs?: string;
  /** Values to try of any field, all combinations. Default none. */
  vary?: Vary;
  /** On which images runs are evaluated. Default: validation with `vary`, else as the studies say. */
  evaluateOn?: RunSpec['evaluateOn'];
  /** Cross-validation: each run once for each of this many folds. Default: none. */
  folds?: number;
  /** Training images per second, for every run. */
  imagesPerSecond?: number;
  /** Measures a kind of run; called once for each kind that is missing. Default: none is measured. */
  calibrate?: (spec: RunSpec, classes: number) => Promise<Pace>;
}

/** Runs of one kind take the same time an image. */
export const paceKey = ({ backbone, imageSize, batchSize, regularizers }: RunSpec): string =>
  [backbone, imageSize, batchSize, ...regularizers.map(({ name }) => name)].join(' ');

/** Plans a sweep. */
export async function sweepPlan(options: SweepPlanOptions): Promise<SweepPlan> {
  const { scale, datasets, vary = {} } = options;
  const isVaried = Object.keys(vary).length > 0;
  const evaluateOn = options.evaluateOn ?? (isVaried && !('evaluateOn' in vary) ? 'validation' : undefined);
  const names = options.studies ?? studies.list().map(({ name }) => name);
  const store = new RunStore(options.runs);
  const records = store.brief(() => undefined);
  const idOf = identifier();
  const finished = new Set(records.map(({ id }) => id));
  const estimator = new Estimator(records, options);
  const rows: SweepRow[] = [];
  const unique = new Map<string, { spec: RunSpec; isMissing: boolean; seconds: number | null }>();
  const specsOf = new Map(
    names.map((name) => [name, studies.specs(name, { scale, datasets, vary, evaluateOn, folds: options.folds })]),
  );
  requireVaried([...specsOf.values()].flat(), vary);
  for (const [study, specs] of specsOf) {
    const { assumedPace } = scaleOf(studies.get(study), options.scale);
    for (const spec of specs) {
      const dataset = path.basename(spec.dataset);
      const key = stableStringify(spec)!;
      let run = unique.get(key);
      if (run === undefined) {
        const id = await idOf(spec);
        const isMissing = id === null || !finished.has(id);
        unique.set(
          key,
          (run = { spec, isMissing, seconds: isMissing ? await estimator.secondsOf(spec, assumedPace) : 0 }),
        );
      }
      const method = methods.nameOf(spec);
      const varied = variedText(spec, vary);
      let row = rows.find(
        (row) =>
          row.study === study &&
          row.dataset === dataset &&
          row.backbone === spec.backbone &&
          row.method === method &&
          row.varied === varied,
      );
      if (row === undefined)
        rows.push((row = { study, dataset, backbone: spec.backbone, method, varied, seeds: [], missing: 0, hours: 0 }));
      if (!row.seeds.includes(spec.seed)) row.seeds.push(spec.seed);
      if (!run.isMissing) continue;
      row.missing++;
      row.hours = row.hours === null || run.seconds === null ? null : row.hours + run.seconds / 3600;
    }
  }
  const all = [...unique.values()];
  const toMake = all.filter(({ isMissing }) => isMissing);
  const seconds = toMake.every((run) => run.seconds !== null)
    ? toMake.reduce((sum, run) => sum + run.seconds!, 0)
    : null;
  const basis = [...estimator.used].map((each) => BASIS[each]).join('; ');
  return {
    rows,
    specs: all.map(({ spec }) => spec),
    seconds: all.map((run) => run.seconds),
    missing: toMake.length,
    hours: seconds === null ? null : seconds / 3600,
    estimate:
      seconds === null
        ? 'No estimate yet: no comparable run has finished, or a data set is not prepared. ' +
          'See --calibrate and --images-per-second.'
        : toMake.length === 0
          ? 'Nothing is left to make.'
          : `Estimate: ${(seconds / 3600).toFixed(seconds < 3600 ? 2 : 1)} hours on one device (from ${basis}).`,
    keepWeights: names.some((name) => studies.get(name).keepWeights),
    titleOf: (spec) => [titleOf(spec), variedText(spec, vary)].filter(Boolean).join(', '),
  };
}

/**
 * Computes ids of runs. Data sets are loaded and weights are hashed once. The id is null if the data set is not
 * prepared or the weights are not downloaded: such a run cannot be finished.
 */
function identifier(): (spec: RunSpec) => Promise<string | null> {
  const once = <T>(load: (key: string) => Promise<T>): ((key: string) => Promise<T>) => {
    const known = new Map<string, Promise<T>>();
    return (key) => known.get(key) ?? known.set(key, load(key)).get(key)!;
  };
  const isReady = (dataset: string): boolean =>
    !datasets.list().some(({ name }) => name === dataset) || datasets.state(dataset) === 'ready';
  const dataset = once((name) => datasets.load(name));
  const weightsHash = once((key) => {
    const { id, ...options } = JSON.parse(key) as { id: string; weights: string; seed?: number };
    return backbones.weightsHash(id, options);
  });
  return async (spec) => {
    if (!isReady(spec.dataset)) return null;
    try {
      const hash: typeof backbones.weightsHash = (id, { weights = 'imagenet', seed } = {}) =>
        weightsHash(JSON.stringify({ id, weights, ...(weights === 'random' ? { seed } : {}) }));
      return (await identifyRun(spec, { dataset, weightsHash: hash })).id;
    } catch (error) {
      if (error instanceof KitError) return null;
      throw error;
    }
  };
}

/** Estimates runs, each from the best basis that there is. */
class Estimator {
  readonly used = new Set<EstimateBasis>();
  /** Seconds per image that is seen, in training or evaluation, whole runs over. */
  private readonly same = new Map<string, [images: number, seconds: number]>();
  private readonly any: [images: number, seconds: number] = [0, 0];
  private readonly measured = new Map<string, Pace>();

  constructor(
    records: readonly BriefRecord[],
    private readonly options: SweepPlanOptions,
  ) {
    for (const { dataset, epochs, wallSeconds, spec } of records) {
      const images = workOf(dataset.train, dataset.test, epochs.at(-1)?.epoch ?? 0, spec.evaluateEvery);
      const key = paceKey(spec);
      const [sum, seconds] = this.same.get(key) ?? [0, 0];
      this.same.set(key, [sum + images, seconds + wallSeconds]);
      this.any[0] += images;
      this.any[1] += wallSeconds;
    }
  }

  /** @param assumedPace training images per second, of the run's scale. */
  async secondsOf(spec: RunSpec, assumedPace?: number): Promise<number | null> {
    const size = sizeOf(spec);
    if (size === null) return null;
    const { epochs } = timetable(spec);
    const [train, test] = [size.train * epochs, size.test * evaluations(epochs, spec.evaluateEvery)];
    const key = paceKey(spec);
    const from = (basis: EstimateBasis, seconds: number): number => {
      this.used.add(basis);
      return seconds;
    };
    const same = this.same.get(key);
    if (this.options.imagesPerSecond !== undefined) return from('given', train / this.options.imagesPerSecond);
    if (same !== undefined && same[0] > 0)
      return from('same', (workOf(size.train, size.test, epochs, spec.evaluateEvery) * same[1]) / same[0]);
    if (this.options.calibrate !== undefined) {
      const pace = this.measured.get(key) ?? (await this.options.calibrate(spec, size.classes));
      this.measured.set(key, pace);
      return from('calibrated', pace.setUp + train * pace.train + test * pace.evaluate);
    }
    if (assumedPace !== undefined) return from('assumed', train / assumedPace);
    return this.any[0] > 0
      ? from('any', (workOf(size.train, size.test, epochs, spec.evaluateEvery) * this.any[1]) / this.any[0])
      : null;
  }
}

/** The work of a run, in training images: evaluating one is a third of training on it (no backward pass). */
const workOf = (train: number, test: number, epochs: number, every?: number): number =>
  epochs * train + (evaluations(epochs, every) * test) / 3;

/** How often a run of so many epochs is evaluated. */
const evaluations = (epochs: number, every = 1): number => Math.ceil(epochs / every);

/**
 * Images and classes of a run; null for a data set that is not known. A folder without limits has to be looked into
 * first.
 */
function sizeOf(spec: RunSpec): { train: number; test: number; classes: number } | null {
  const known = datasets.list().find(({ name }) => name === spec.dataset);
  const { classes: most = Infinity, trainPerClass, testPerClass } = spec.limits;
  const all = known?.classes.length ?? 10;
  const classes = Math.min(all, most);
  const count = (perClass: number | null, images: number | undefined): number | null => {
    const own = images === undefined ? undefined : Math.round((images * classes) / all);
    return perClass === null ? (own ?? null) : Math.min(own ?? Infinity, perClass * classes);
  };
  const [train, test] = [count(trainPerClass, known?.counts.train), count(testPerClass, known?.counts.test)];
  return train === null || test === null ? null : { train, test, classes };
}
