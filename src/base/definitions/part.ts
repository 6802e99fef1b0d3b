// A part of a spec: the name of a definition with its options, as plain JSON. A definition is a function that makes it.
import stableStringify from 'safe-stable-stringify';
import { z } from 'zod';
import { KitError, nearNames } from '../errors';
import { checkFields, type FieldKind } from './fields';
import { callSite, type Registry } from './registry';

/** A part of a spec. */
export interface Part {
  readonly name: string;
  readonly [option: string]: unknown;
}

/** What every definition says of itself. */
export interface PartInfo<N extends string, O extends z.ZodObject> {
  /** The name in specs. With a slash (`jdoe/cutout`), unless it is the kit's own. */
  name: N;
  /** Raise it whenever the code changes the numbers of a run: it is part of a run's identity. Default 1. */
  version?: number;
  /** For tables and figures. Default: the name. */
  title?: string;
  /** Paper or code that it comes from. Default: empty. */
  source?: string;
  /** A zod object, with a default for each option that may be left out. Default: no options. */
  options?: O;
  /** Completes or corrects given options before they are checked, for defaults that depend on other options. */
  fill?(given: Record<string, unknown>): Record<string, unknown>;
}

/**
 * A definition: call it with options to get the part of a spec, with defaults filled in.
 * @throws KitError for an invalid option.
 */
export type PartDefinition<N extends string = string, O extends z.ZodObject = z.ZodObject, B = unknown> = {
  (options?: z.input<O>): { name: N } & z.output<O>;
  readonly name: N;
  readonly version: number;
  readonly title: string;
  readonly source: string;
  readonly options: O;
  /** What it does. */
  readonly body: B;
  /** The options of `part`, typed; null when `part` is null or of another definition. */
  of(part: Part | null | undefined): z.output<O> | null;
};

/** A definition whose options are not known at compile time. */
export interface AnyDefinition<B> {
  readonly name: string;
  readonly version: number;
  readonly title: string;
  readonly source: string;
  readonly options: z.ZodObject;
  readonly fill: ((given: Record<string, unknown>) => Record<string, unknown>) | undefined;
  readonly body: B;
}

/**
 * Makes a definition and adds it to `registry`.
 * @param define the public function that was called: the definition comes from its caller's file.
 * @param fields the fields of `body` and what they hold.
 * @throws KitError DEFINITION_FORM, DEFINITION_VERSION, DEFINITION_NAME or DEFINITION_TWICE.
 */
export function definePart<N extends string, O extends z.ZodObject, B>(
  registry: Registry<AnyDefinition<B>>,
  info: PartInfo<N, O>,
  body: B,
  define: (...args: never[]) => unknown,
  fields: Readonly<Record<string, FieldKind>>,
): PartDefinition<N, O, B> {
  checkFields(registry.kind, { ...info, ...body }, fields);
  const { name, version = 1, title = name, source = '', options, fill } = info;
  if (!Number.isInteger(version) || version < 1)
    throw new KitError(
      `The version of the ${registry.kind} "${name}" must be a whole number from 1, found ${version}.`,
      {
        code: 'DEFINITION_VERSION',
        fix: 'Start with 1, and raise it by one whenever the numbers change.',
      },
    );
  const schema = options ?? (z.strictObject({}) as unknown as O);
  const make = (given: Record<string, unknown> = {}): Part => {
    const parsed = schema.safeParse(fill?.(given) ?? given);
    if (parsed.success) return { name, ...parsed.data };
    throw new KitError(
      `Options of the ${registry.kind} "${name}" are not valid: ${problemsOf(parsed.error.issues, schema).join('; ')}.`,
      { code: 'PART_OPTIONS', fix: `Options: ${Object.keys(schema.shape).join(', ') || 'none'}.` },
    );
  };
  const of = (part: Part | null | undefined): unknown => {
    if (part?.name !== name) return null;
    const { name: _, ...given } = part;
    return given;
  };
  const definition = Object.assign(make, { version, title, source, options: schema, fill, body, of });
  Object.defineProperty(definition, 'name', { value: name });
  registry.add(name, definition as unknown as AnyDefinition<B>, callSite(define));
  return definition as unknown as PartDefinition<N, O, B>;
}

/** The options of `part` without its name. */
export function optionsOf({ name: _, ...options }: Part): Record<string, unknown> {
  return options;
}

/** A zod schema of a part of `registry`: an object with a name, or a name alone. Gives the part with its defaults. */
export function partSchema<B>(registry: Registry<AnyDefinition<B>>) {
  return z.unknown().transform((value, context): Part => {
    const part = typeof value === 'string' ? { name: value } : value;
    if (typeof part !== 'object' || part === null || typeof (part as Part).name !== 'string') {
      context.addIssue({ code: 'custom', message: `expected a ${registry.kind}: a name, or an object with a name` });
      return z.NEVER;
    }
    const { options, fill } = registry.get((part as Part).name);
    const given = optionsOf(part as Part);
    const parsed = options.safeParse(fill?.(given) ?? given);
    if (parsed.success) return { name: (part as Part).name, ...parsed.data };
    for (const issue of parsed.error.issues)
      for (const problem of problemOf(issue, options))
        context.addIssue({ code: 'custom', path: problem.path, message: problem.message });
    return z.NEVER;
  });
}

/** `part` without the options that equal their defaults. */
export function sparsePart(definition: Pick<AnyDefinition<unknown>, 'options'>, part: Part): Part {
  const kept = Object.entries(optionsOf(part)).filter(([option, value]) => {
    const schema = definition.options.shape[option] as z.ZodType | undefined;
    const byDefault = schema?.safeParse(undefined);
    return !(byDefault?.success === true && stableStringify(byDefault.data) === stableStringify(value));
  });
  return { name: part.name, ...Object.fromEntries(kept) };
}

/** The problems of an issue: an unknown field is named with the known names near it. */
export function problemOf(issue: z.core.$ZodIssue, schema: z.ZodObject): { path: PropertyKey[]; message: string }[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: [...issue.path], message: issue.message }];
  const known = fieldsAt(schema, issue.path);
  return issue.keys.map((key) => {
    const near = nearNames(key, known);
    const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `known: ${known.join(', ') || 'none'}`;
    return { path: [...issue.path, key], message: `unknown field; ${hint}` };
  });
}

/** The problems of issues as text. */
export const problemsOf = (issues: readonly z.core.$ZodIssue[], schema: z.ZodObject): string[] =>
  issues.flatMap((issue) =>
    problemOf(issue, schema).map(({ path, message }) => `${path.map(String).join('.') || 'value'}: ${message}`),
  );

/** The names of the fields of the object at `path`. */
function fieldsAt(schema: z.ZodObject, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema;
  for (const step of path) at = unwrapped((unwrapped(at) as z.ZodObject | undefined)?.shape?.[String(step)]);
  const object = unwrapped(at) as z.ZodObject | undefined;
  return Object.keys(object?.shape ?? {});
}

/** A schema without its defaults and null. */
function unwrapped(schema: unknown): unknown {
  const inner = (schema as { def?: { innerType?: unknown } } | undefined)?.def?.innerType;
  return inner === undefined ? schema : unwrapped(inner);
}
