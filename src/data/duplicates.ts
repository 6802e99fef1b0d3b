// Images with the same bytes in two splits: a model is then tested on what it has learnt.
import type { Dataset } from './dataset';

/** Images with the same bytes in two splits. */
export interface Duplicates {
  /** Number of validation and test images whose bytes are those of an image of an earlier split. */
  count: number;
  /** Some of them: [file in the earlier split, file in the later one]. */
  examples: [string, string][];
}

const MOST_EXAMPLES = 20;

/** Finds them by the sha256 of each file. The splits in order: train, validation, test. */
export function duplicatesAcross(
  { train, validation = [], test }: Pick<Dataset, 'train' | 'validation' | 'test'>,
  digests: ReadonlyMap<string, string>,
): Duplicates {
  const found: Duplicates = { count: 0, examples: [] };
  const earlier = new Map<string, string>();
  for (const samples of [train, validation, test]) {
    for (const { file } of samples) {
      const before = earlier.get(digests.get(file)!);
      if (before === undefined) continue;
      found.count++;
      if (found.examples.length < MOST_EXAMPLES) found.examples.push([before, file]);
    }
    for (const { file } of samples) if (!earlier.has(digests.get(file)!)) earlier.set(digests.get(file)!, file);
  }
  return found;
}

/** A notice about them; none when there are none. */
export const duplicatesNotice = ({ count, examples: [first] }: Duplicates): string[] =>
  count === 0
    ? []
    : [
        `${count} validation or test ${count === 1 ? 'image has' : 'images have'} the same bytes as an image of an ` +
          `earlier split, for example ${first[1]} and ${first[0]}. \`rifle data check\` lists them.`,
      ];
