// The study of sweep.test.ts, in a file of its own: workers of later tests in this process load it as well.
import { defineStudy } from '../../src/studies/study';
import type { RunSpec } from '../../src/transfer/spec/spec';

/** The runs of the study. */
export const planned: { specs: RunSpec[] } = { specs: [] };

export const sweepStudy = defineStudy({
  name: 'test/sweep-plan',
  title: 'Runs that differ in one setting',
  claim: 'None.',
  methods: ['fine-tuning'],
  seeds: { smoke: [0] },
  runsOf: () => planned.specs,
});
