// Which training images an epoch shows, and in which order.
import { randomStream } from '../../base/random';

/** The ways to draw an epoch. */
export const SAMPLINGS = ['shuffle', 'balanced'] as const;

/** See `RunSpec.sampling`. */
export type Sampling = (typeof SAMPLINGS)[number];

/** The images of an epoch, in order. */
export interface EpochOrder {
  /** Indices of the samples. */
  samples: Uint32Array;
  /** Of each, the index of its random streams: the sample's own, plus the number of samples for each repetition. */
  streams: Uint32Array;
}

/** All of `count` samples as they stand. */
export function inOrder(count: number): EpochOrder {
  const samples = Uint32Array.from({ length: count }, (_, i) => i);
  return { samples, streams: samples };
}

/**
 * The samples of `epoch`. They depend on the arguments alone.
 * - `shuffle`: all of them, in the order drawn by the stream (seed, `shuffle`, epoch).
 * - `balanced`: as many as there are. Of n samples and C classes that have any, each class gets floor(n / C), and
 *   n mod C classes get one more: those that the stream (seed, `classes`, epoch) draws first. A class of m samples
 *   gives them in the order drawn by the stream (seed, `balanced`, epoch, label). If it needs more than m, another
 *   permutation of the same stream follows. So each sample of a class appears floor or ceil of its share. Then all are
 *   shuffled as above.
 * @param labels of all samples.
 */
export function epochOrder(
  labels: readonly number[],
  { sampling, seed, epoch }: { sampling: Sampling; seed: number; epoch: number },
): EpochOrder {
  const count = labels.length;
  const shuffled = randomStream(seed, 'shuffle', epoch).permutation(count);
  if (sampling === 'shuffle') return { samples: shuffled, streams: shuffled };
  const byClass: number[][] = [];
  labels.forEach((label, sample) => (byClass[label] ??= []).push(sample));
  const classes = Object.keys(byClass).map(Number); // increasing: they are indices of a list
  const share = Math.floor(count / classes.length);
  const withMore = new Set(
    randomStream(seed, 'classes', epoch)
      .permutation(classes.length)
      .subarray(0, count % classes.length),
  );
  const streams = classes.flatMap((label, i) => {
    const own = byClass[label];
    const stream = randomStream(seed, 'balanced', epoch, label);
    const wanted = share + Number(withMore.has(i));
    const drawn: number[] = [];
    for (let repeat = 0; drawn.length < wanted; repeat++)
      for (const place of stream.permutation(own.length)) drawn.push(own[place] + repeat * count);
    return drawn.slice(0, wanted);
  });
  return { samples: shuffled.map((place) => streams[place] % count), streams: shuffled.map((place) => streams[place]) };
}
