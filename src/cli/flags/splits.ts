// Flags about images: weights of classes, and folds.
import { InvalidArgumentError } from 'commander';
import type { RunSpec } from '../../transfer/spec/spec';

/** `balanced`, or `cat=1,dog=3.5`. */
export function classWeights(text: string): NonNullable<RunSpec['classWeights']> {
  if (text === 'balanced') return 'balanced';
  const pairs = text.split(',').map((pair) => /^(.+)=([\d.]+(?:e[+-]?\d+)?)$/.exec(pair.trim()));
  const weights = Object.fromEntries(pairs.flatMap((match) => (match ? [[match[1], Number(match[2])]] : [])));
  if (pairs.includes(null) || Object.keys(weights).length < pairs.length)
    throw new InvalidArgumentError(
      'Expected balanced, or a weight above 0 for every class once: cat=1,dog=3. For other names use --spec.',
    );
  return weights;
}

/** `2/5`: the second of five folds. In specs the index is from 0. */
export function fold(text: string): NonNullable<RunSpec['fold']> {
  const [, number, of] = (/^(\d+)\/(\d+)$/.exec(text.trim()) ?? []).map(Number);
  if (number === undefined || number < 1 || number > of || of < 2)
    throw new InvalidArgumentError('Expected NUMBER/FOLDS, from 1/FOLDS to FOLDS/FOLDS, for example 1/5.');
  return { of, index: number - 1 };
}
