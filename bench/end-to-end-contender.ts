// Our side of the benchmark `end-to-end`: all runs of a grid, in one process, as a notebook makes them. Prints their
// accuracies as JSON.
import { internals } from '../src/engine/binding';
import { kitVersion } from '../src/base/home';
import { tf } from '../src/engine/tensorflow';
import { plan, runAll, type Grid } from '../src/studies/plan';

/** What either side prints. */
export interface ExperimentResult {
  versions: Record<string, string>;
  results: { method: string; seed: number; top1: number }[];
}

async function main(): Promise<void> {
  const { grid, runs } = JSON.parse(process.argv[2]) as { grid: Grid; runs: string };
  const records = await runAll(plan(grid), { runs });
  const versions = {
    'rifle-kit': kitVersion(),
    node: process.version,
    tfjs: tf.version.tfjs,
    libtensorflow: internals().binding.TF_Version,
  };
  const results = records.map(({ method, spec, top1 }) => ({ method, seed: spec.seed, top1 }));
  console.log(JSON.stringify({ versions, results } satisfies ExperimentResult));
}

void main();
