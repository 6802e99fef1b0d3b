// A process for the kill test: makes one run, tells every step, and may be killed at any moment.
import { finetune } from '../../../src/runs/finetune';
import type { RunSpecInput } from '../../../src/transfer/spec/spec';

/** What it is told, as JSON in its first argument. */
export interface KillTask {
  spec: RunSpecInput;
  runs: string;
}

const { spec, runs } = JSON.parse(process.argv[2]) as KillTask;

void finetune(spec, {
  runs,
  keepWeights: true,
  checkpointMinutes: 0, // after every step: as many writes as can be
  onProgress: ({ task, done, total, detail }) => process.send!({ task, done, total, detail }),
}).then(
  () => process.disconnect(),
  (error: Error) => {
    process.send!({ error: error.stack });
    process.disconnect();
  },
);
