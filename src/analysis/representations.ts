// How far fine-tuning moves what a network sees: CKA between the pretrained and the fine-tuned network, stage by stage.
import { ckaEstimates } from './cka';
import type { StageFeatures } from './features';
import { withTrainedRuns, type AnalysisOptions, type TrainedRun } from './trained-runs';

/** One stage of one run. */
export interface CkaRow {
  run: string;
  /** Name in the tables, for example `rifle`. */
  method: string;
  seed: number;
  stage: string;
  /** 0: the stage at the input side. */
  place: number;
  /** Images compared. */
  images: number;
  /** Numbers per image. */
  features: number;
  /** Linear CKA, in [0, 1]; see `CkaEstimates`. */
  cka: number;
  /** Without the bias of few images; `null` where it is not defined. */
  unbiased: number | null;
}

/** Options of `ckaByStage`. */
export interface CkaOptions extends AnalysisOptions {
  /** Which images are compared. Default `test`. */
  split?: 'train' | 'test';
  /**
   * Of a stage's output its mean over height and width (`pooled`, the default), or all its places (`maps`, which takes
   * a lot of memory).
   */
  of?: 'pooled' | 'maps';
}

/**
 * Linear CKA between the stage outputs of each run's network as it began and as it ended, both in evaluation mode on
 * the same images (one centre crop): 1 where fine-tuning has changed nothing but rotation and scale. The runs share
 * data set, backbone and sizes. Rows run by run, input side first.
 * @throws KitError when the runs do not belong together, or their data or weights are not there.
 */
export async function ckaByStage(
  runs: readonly TrainedRun[],
  { split = 'test', of = 'pooled', ...options }: CkaOptions = {},
): Promise<CkaRow[]> {
  const { signal, onProgress } = options;
  return withTrainedRuns(
    runs,
    { ...options, maps: of === 'maps' },
    async ({ extractor, batches, pretrained, finetuned }) => {
      const before = new Map<string, StageFeatures>(); // by the weights that a run began with
      const rows: CkaRow[] = [];
      for (const [i, run] of runs.entries()) {
        const { id, method, spec, weights } = run.record;
        onProgress?.({ task: 'CKA', done: i, total: runs.length, unit: 'runs', detail: `${method} seed ${spec.seed}` });
        if (!before.has(weights.hash)) {
          extractor.write(await pretrained(run));
          before.set(weights.hash, await extractor.extract(batches[split], { signal }));
        }
        extractor.write(await finetuned(run));
        const [start, end] = [before.get(weights.hash)!, await extractor.extract(batches[split], { signal })];
        for (const [place, stage] of end.stages.entries()) {
          const [x, y] = [start, end].map((seen) => (of === 'maps' ? seen.maps! : seen.pooled)[stage]);
          rows.push({
            run: id,
            method,
            seed: spec.seed,
            stage,
            place,
            images: x.examples,
            features: x.features,
            ...ckaEstimates(x, y),
          });
        }
      }
      onProgress?.({ task: 'CKA', done: runs.length, total: runs.length, unit: 'runs' });
      return rows;
    },
  );
}
