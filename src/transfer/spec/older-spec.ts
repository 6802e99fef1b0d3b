// Specs of older kits: `regularizer`, `trick` and `rifle` instead of lists of parts. Translated here and nowhere else.
import type { Part } from '../../base/definitions/part';
import { KitError } from '../../base/errors';

/** Fields of older specs. */
export interface OlderSpecFields {
  /** @deprecated Use `regularizers`. `l2` is the default: an empty list. */
  regularizer?: Part | string;
  /** @deprecated Use `tricks`. `none` is an empty list. */
  trick?: Part | string;
  /** @deprecated Use `reset`. */
  rifle?: Readonly<Record<string, unknown>> | null;
}

const nameOf = (part: unknown): unknown => (typeof part === 'string' ? part : (part as Part | null)?.name);

/** A list of the part, without it if it has the name that stood for nothing. */
const listOf = (part: unknown, nothing: string): unknown[] => (nameOf(part) === nothing ? [] : [part]);

/** `input` with the fields of today. @throws KitError when a field is given in both forms. */
export function withoutOlderFields(input: unknown): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input;
  const { regularizer, trick, rifle, ...rest } = input as OlderSpecFields & Record<string, unknown>;
  const translated: Record<string, unknown> = {
    ...(regularizer === undefined ? {} : { regularizers: listOf(regularizer, 'l2') }),
    ...(trick === undefined ? {} : { tricks: listOf(trick, 'none') }),
    ...(rifle === undefined
      ? {}
      : { reset: typeof rifle === 'object' && rifle !== null ? { name: 'rifle', ...rifle } : rifle }),
  };
  const twice = Object.keys(translated).find((field) => rest[field] !== undefined);
  if (twice !== undefined)
    throw new KitError(`The spec gives \`${twice}\` twice: in its own field, and in the field of an older kit.`, {
      code: 'SPEC_FIELD_TWICE',
      fix: 'Remove `regularizer`, `trick` and `rifle`: they are `regularizers`, `tricks` and `reset` now.',
    });
  return { ...rest, ...translated };
}

/** A complete spec as an older kit recorded it, with the fields of today and their defaults. */
export function upgradedSpec(recorded: Record<string, unknown>): Record<string, unknown> {
  const { optimizer, ...rest } = withoutOlderFields(recorded) as Record<string, unknown>;
  return {
    augmentation: { name: 'flip-crop' },
    ...rest,
    optimizer: { name: 'sgd', clipNorm: null, ...(optimizer as object) },
  };
}
