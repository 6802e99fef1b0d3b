// Part of the benchmark `startup`, in a process of its own: the seconds in which the programs of a run are traced and
// loaded, as JSON.
import { backbones } from '../src/backbones/backbone';
import { EVALUATION_BATCH } from '../src/data/batches/batches';
import { parseRunSpec } from '../src/transfer/spec/spec';
import { makeSteps } from '../src/transfer/step';
import { compileSteps } from '../src/transfer/compiled-steps';

async function main(): Promise<void> {
  const spec = parseRunSpec({ ...(JSON.parse(process.argv[2]) as object), dataset: 'none' });
  const backbone = await backbones.load(spec.backbone, { classes: 4, weights: spec.weights });
  const steps = makeSteps(spec, backbone);
  const began = performance.now();
  await compileSteps(steps, spec.imageSize!, [spec.batchSize], [EVALUATION_BATCH]);
  console.log(JSON.stringify({ seconds: (performance.now() - began) / 1000 }));
}

void main();
