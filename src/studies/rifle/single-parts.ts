// The parts of a method as one regularizer, one trick and RIFLE's options: the form of the RIFLE paper's tables.
import type { Part } from '../../extend';
import { type MethodParts, rifleOf, type RifleOptions } from '../../transfer';

/** One regularizer, one trick, and RIFLE. */
export interface SingleParts {
  /** `l2` if there is none; several are one part whose name is all of theirs. */
  regularizer: Part;
  /** `none` if there is none. */
  trick: Part;
  /** `null` without a reset, or with another policy. */
  rifle: RifleOptions | null;
}

/** The parts of a spec or a method in that form. */
export const singleParts = ({ regularizers, tricks, reset }: MethodParts): SingleParts => ({
  regularizer: single(regularizers, 'l2'),
  trick: single(tricks, 'none'),
  rifle: rifleOf({ reset }),
});

function single(parts: readonly Part[], nothing: string): Part {
  if (parts.length < 2) return parts[0] ?? { name: nothing };
  return { name: parts.map(({ name }) => name).join('+'), parts };
}
