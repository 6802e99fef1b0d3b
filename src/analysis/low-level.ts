// Are the early stages better after fine-tuning? They are kept, everything after them is made pretrained again, and a
// linear probe is refitted.
import type { StageFeatures } from './features';
import { fitProbe, probeTop1, type ProbeOptions } from './linear-probe';
import { withTrainedRuns, type AnalysisOptions, type NetworkValues, type TrainedRun } from './trained-runs';

/** One number of kept stages of one run. */
export interface LowLevelRow {
  run: string;
  /** Name in the tables, for example `rifle`. */
  method: string;
  seed: number;
  /** How many stages are the fine-tuned network's, counted from the input side; 0: none, the pretrained network. */
  kept: number;
  /** Name of the last stage that is kept; `none` of 0. */
  stage: string;
  /** Fraction of test images that the probe classifies right, in [0, 1]. */
  top1: number;
  /** Of the images that it was fitted to. */
  trainTop1: number;
  /** Iterations of the fit, and the fraction of the first gradient's norm that was left. */
  iterations: number;
  gradient: number;
}

/** Options of `lowLevelFeatures`. */
export interface LowLevelOptions extends AnalysisOptions {
  /** The numbers of stages to keep. Default all, from 0 to the number of stages. */
  kept?: readonly number[];
  /** How the probe is fitted. */
  probe?: Omit<ProbeOptions, 'signal'>;
}

/**
 * The kit's own protocol for the paper's claim that RIFLE improves low-level features (the paper's is not at hand). For
 * each run and each k:
 * 1. The first k stages, counted from the input side, keep the values with which the run ended; every later parameter,
 * and every later running statistic of batch normalisation, has the pretrained value. What belongs to a stage is found
 * by `variablesByStage`.
 * 2. That network, in evaluation mode, gives the pooled features [images, featureSize] of the run's training images and
 * test images, one centre crop each.
 * 3. A new head is fitted to the features of the training images by `fitProbe`: softmax regression on standardised
 * features, L2 0.01, full batch, from zeros, by accelerated gradient descent at rate 1 / L for at most 2000 iterations
 * or until 1e-4 of the first
 *   gradient is left. Nothing is
 * drawn at random and nothing is chosen on the test images. On elpv the test accuracy of the pretrained features moved
 *   by two points in 77
 *    over L2 from 1e-4 to 10.
 * 4. Its top-1 on the test images is the row's.
 * So k = 0 tells what the pretrained features are worth, the same for all runs that began with the same weights
 * (computed once); k = all stages what the fine-tuned trunk's are worth under the same refit; in between, whether early
 * stages got better for stages that never adapted to them. A method that improves low-level features is above plain
 * fine-tuning at small k; a fall below k = 0 says that a stage moved away from what its successors expect, not that its
 * features are worse. The runs share data set, backbone and sizes. Rows run by run, k rising.
 * @throws KitError when the runs do not belong together, or their data or weights are not there.
 */
export async function lowLevelFeatures(
  runs: readonly TrainedRun[],
  { kept, probe: how = {}, ...options }: LowLevelOptions = {},
): Promise<LowLevelRow[]> {
  const { signal, onProgress } = options;
  return withTrainedRuns(
    runs,
    options,
    async ({ backbone: { taps }, classes, extractor, batches, stages, pretrained, finetuned }) => {
      const byStage = stages();
      const numbers = (kept ?? [0, ...taps.map((_, i) => i + 1)]).filter((k) => k >= 0 && k <= taps.length);
      const seen = async (values: NetworkValues): Promise<{ train: StageFeatures; test: StageFeatures }> => {
        extractor.write(values);
        return {
          train: await extractor.extract(batches.train, { signal }),
          test: await extractor.extract(batches.test, { signal }),
        };
      };
      const refit = async (
        values: NetworkValues,
      ): Promise<Pick<LowLevelRow, 'top1' | 'trainTop1' | 'iterations' | 'gradient'>> => {
        const { train, test } = await seen(values);
        const probe = await fitProbe(train.features, train.labels, classes, { ...how, signal });
        const [top1, trainTop1] = [test, train].map(({ features, labels }) => probeTop1(probe, features, labels));
        return { top1, trainTop1, iterations: probe.iterations, gradient: probe.gradient };
      };
      const untouched = new Map<string, Awaited<ReturnType<typeof refit>>>(); // by the weights that a run began with
      const rows: LowLevelRow[] = [];
      for (const [i, run] of runs.entries()) {
        const { id, method, spec, weights } = run.record;
        const [start, end] = [await pretrained(run), await finetuned(run)];
        for (const [j, k] of numbers.entries()) {
          onProgress?.({
            task: 'low-level features',
            done: i * numbers.length + j,
            total: runs.length * numbers.length,
            unit: 'refits',
            detail: `${method} seed ${spec.seed}`,
          });
          const keep = new Set(byStage.slice(0, k).flat());
          const mixed = Object.fromEntries(
            Object.keys(start).map((name) => [name, keep.has(name) ? end[name] : start[name]]),
          );
          const found = (k === 0 && untouched.get(weights.hash)) || (await refit(mixed));
          if (k === 0) untouched.set(weights.hash, found);
          rows.push({ run: id, method, seed: spec.seed, kept: k, stage: k === 0 ? 'none' : taps[k - 1], ...found });
        }
      }
      onProgress?.({ task: 'low-level features', done: rows.length, total: rows.length, unit: 'refits' });
      return rows;
    },
  );
}
