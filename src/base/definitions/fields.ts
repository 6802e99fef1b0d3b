// Checks the fields of a definition: an extension is loaded without a check of its types.
import { KitError, nearNames } from '../errors';

/** What a field holds. With `?` it may be left out. */
export type FieldKind = 'function' | 'function?' | 'string?' | 'boolean?' | 'list';

/** The fields of a definition of the type B. */
export type FieldKinds<B> = Readonly<Record<keyof B & string, FieldKind>>;

/** Fields that every part has. */
const COMMON: Readonly<Record<string, FieldKind>> = { title: 'string?', source: 'string?', fill: 'function?' };

/** Fields with checks of their own. */
const CHECKED = ['name', 'version', 'options'];

/** @throws KitError DEFINITION_FORM for a field that is missing, unknown or of a wrong type. */
export function checkFields(kind: string, definition: object, kinds: Readonly<Record<string, FieldKind>>): void {
  const { name, options } = definition as { name?: unknown; options?: unknown };
  if (typeof name !== 'string') throw refusal(`A ${kind}`, `its name is ${typeName(name)}, not a string`);
  const refuse = (what: string): KitError => refusal(`The ${kind} "${name}"`, what);
  const fields = { ...COMMON, ...kinds };
  for (const [field, expected] of Object.entries(fields)) {
    const value = (definition as Record<string, unknown>)[field];
    if (value === undefined && expected.endsWith('?')) continue;
    const found = Array.isArray(value) ? 'list' : typeof value;
    if (found !== expected.replace('?', ''))
      throw refuse(`${field} is ${typeName(value)}, not a ${expected.replace('?', '')}`);
  }
  if (options !== undefined && (options as { def?: { type?: unknown } } | null)?.def?.type !== 'object')
    throw refuse('its options are not a zod object, for example z.strictObject({ rate: z.number().default(0.1) })');
  const known = [...CHECKED, ...Object.keys(fields)];
  const unknown = Object.keys(definition).find((field) => !known.includes(field));
  if (unknown === undefined) return;
  const near = nearNames(unknown, known, 1);
  throw refuse(`it has an unknown field ${unknown}${near.length > 0 ? `; did you mean ${near[0]}?` : ''}`);
}

const typeName = (value: unknown): string =>
  value === undefined
    ? 'missing'
    : value === null
      ? 'null'
      : Array.isArray(value)
        ? 'a list'
        : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;

const refusal = (subject: string, what: string): KitError =>
  new KitError(`${subject} is not valid: ${what}.`, {
    code: 'DEFINITION_FORM',
    fix: 'Correct the definition. A TypeScript editor shows the fields and their types.',
  });
