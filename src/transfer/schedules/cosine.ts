// Half a cosine over the run.
import { defineSchedule } from './schedule';

/** Half a cosine from 1 at progress 0 towards 0 at progress 1. */
export const cosineFactor = (progress: number): number => 0.5 * (1 + Math.cos(Math.PI * progress));

/** The authors' schedule (train.py): lr0 (1 + cos(pi epoch / epochs)) / 2, so that the last epoch's is not zero. */
export const cosine = defineSchedule({
  name: 'cosine',
  title: 'Cosine',
  source: 'lixingjian/RIFLE, train.py (commit ba10be2)',
  factor: (_, { progress }) => cosineFactor(progress),
});
