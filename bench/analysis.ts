// The benchmark `analysis`: the compiled training step with the norms of every layer against the same step without
// them, in turn, in one process.
import { backbones } from '../src/backbones/backbone';
import { tf } from '../src/engine/tensorflow';
import { parseRunSpec } from '../src/transfer/spec/spec';
import { makeSteps } from '../src/transfer/step';
import { compileSteps } from '../src/transfer/compiled-steps';

/** What one network gave. */
export interface AnalysisResult {
  backbone: string;
  imageSize: number;
  batchSize: number;
  pairs: number;
  /** Median over the pairs of seconds with / seconds without, and the middle half of them. */
  ratio: number;
  quartiles: [number, number];
}

const CASES = [
  { backbone: 'efficientnet_lite0.tf_in1k', imageSize: 96, batchSize: 16 },
  { backbone: 'efficientnet_lite0.tf_in1k', imageSize: 224, batchSize: 16 },
  { backbone: 'resnet50.keras_in1k', imageSize: 224, batchSize: 8 },
];

/** Runs it and prints a line for each network. */
export async function analysis({ pairs, json = false }: { pairs: number; json?: boolean }): Promise<void> {
  const results: AnalysisResult[] = [];
  for (const each of CASES) {
    results.push(await measure(each, pairs));
    const { backbone, imageSize, batchSize, ratio, quartiles } = results[results.length - 1];
    if (!json)
      console.log(
        `${backbone}, ${imageSize} px, batch ${batchSize}: ${ratio.toFixed(3)} x without (middle half of ${pairs} pairs ${quartiles.map((q) => q.toFixed(3)).join(' to ')})`,
      );
  }
  if (json) console.log(JSON.stringify(results, null, 2));
}

async function measure(
  { backbone: id, imageSize, batchSize }: (typeof CASES)[number],
  pairs: number,
): Promise<AnalysisResult> {
  const spec = parseRunSpec({ dataset: 'none', backbone: id, weights: 'random', batchSize, imageSize });
  const backbone = await backbones.load(id, { classes: 10, weights: 'random' });
  const images = Uint8Array.from({ length: batchSize * imageSize * imageSize * 3 }, (_, i) => (i * 2654435761) >>> 24);
  const labels = Int32Array.from({ length: batchSize }, (_, i) => i % 10);
  const steps = [true, false].map((norms) => makeSteps(spec, backbone, { norms }));
  const programs: Awaited<ReturnType<typeof compileSteps>>[] = [];
  for (const each of steps) programs.push(await compileSteps(each, imageSize, [batchSize], []));
  const seconds = (which: 0 | 1): number => {
    const began = performance.now();
    const outputs = programs[which].train({
      images,
      labels,
      learningRate: 0,
      headLearningRate: 0,
      maskSeed: new Int32Array(2),
    });
    outputs.squaredNorms.dataSync();
    tf.dispose(outputs);
    return performance.now() - began;
  };
  for (let i = 0; i < 3; i++) [seconds(0), seconds(1)];
  const ratios = Array.from({ length: pairs }, (_, i) => {
    const [first, second] = i % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
    const times: Record<number, number> = { [first]: seconds(first), [second]: seconds(second) };
    return times[0] / times[1];
  }).sort((a, b) => a - b);
  programs.forEach((program) => program.dispose());
  steps.forEach((each) => each.dispose());
  backbone.dispose();
  const at = (fraction: number): number => ratios[Math.floor(fraction * (ratios.length - 1))];
  return { backbone: id, imageSize, batchSize, pairs, ratio: at(0.5), quartiles: [at(0.25), at(0.75)] };
}
