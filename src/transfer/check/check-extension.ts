// The tests that every extension wants: call `checkExtension` in the tests of a study.
import { isDeepStrictEqual } from 'node:util';
import { checkDefinition, type BackboneDefinition } from '../../backbones/define-backbone';
import { optionsOf, type AnyDefinition, type Part } from '../../base/definitions/part';
import type { Registry } from '../../base/definitions/registry';
import { KitError } from '../../base/errors';
import { tf } from '../../engine/tensorflow';
import { partKinds } from '../spec/parts';
import { tricks } from '../tricks/trick';
import { parseRunSpec, type RunSpec, type RunSpecInput } from '../spec/spec';
import { checkAugmentation, checkRates, checkReset } from './check-host';
import { checkNetwork } from './check-network';
import { checkStep } from './check-step';
import { named, type Subject } from './subject';

/** What was checked. */
export interface ExtensionReport {
  /** For example `trick`. */
  kind: string;
  name: string;
  /** What holds, one sentence each. */
  checks: string[];
}

/** A definition of a part, as `defineTrick` and its relatives return it. */
export interface CheckedDefinition<O = never> {
  (options?: O): Part;
  readonly name: string;
  readonly version: number;
}

/** The field of a spec for each kind of part, and whether it holds a list. */
const FIELDS: Record<keyof typeof partKinds, { field: keyof RunSpecInput; isList?: true }> = {
  augmentations: { field: 'augmentation' },
  optimizers: { field: 'optimizer' },
  regularizers: { field: 'regularizers', isList: true },
  resets: { field: 'reset' },
  schedules: { field: 'schedule' },
  tricks: { field: 'tricks', isList: true },
};

/**
 * Checks a trick, regularizer, schedule, reset policy, optimizer, augmentation or backbone on tiny data: its options
 * survive JSON, its code is recorded (no captured tensor, no promise, no random numbers of JavaScript), compiled and
 * eager steps agree, shapes are right, all numbers are finite, no tensor leaks, random numbers differ from step to
 * step, and a resumed run gets the same bits. Takes some seconds.
 * @param options of the definition. Default: its defaults.
 * @throws KitError that names the extension, the op where it is known, and the remedy.
 */
export async function checkExtension<O>(
  definition: CheckedDefinition<O> | BackboneDefinition,
  options?: O,
): Promise<ExtensionReport> {
  if (typeof definition !== 'function') {
    const subject = { kind: 'backbone', name: definition.record.id };
    const checks = await withoutLeaks(subject, async () => {
      checkDefinition(definition);
      return ['record and network agree', ...(await checkNetwork(subject, definition))];
    });
    return { ...subject, checks };
  }
  const kind = (Object.keys(partKinds) as (keyof typeof partKinds)[]).find(
    (each) => (partKinds[each].find(definition.name) as unknown) === definition,
  );
  if (kind === undefined)
    throw new KitError(`The definition "${definition.name}" is not registered, or was replaced by another one.`, {
      code: 'EXTENSION_UNKNOWN',
      fix: 'Check the value that defineTrick, defineRegularizer, ... returned last.',
    });
  const registry = partKinds[kind] as unknown as Registry<AnyDefinition<unknown>>;
  const subject: Subject = { kind: registry.kind, name: definition.name };
  const checks = await withoutLeaks(subject, () =>
    named(subject, async () => {
      const part = checkOptions(subject, definition, options);
      const { field, isList } = FIELDS[kind];
      const spec = parseRunSpec({ ...SPEC, [field]: isList ? [part] : part });
      return ['options survive JSON', ...(await checkBody(kind, subject, spec, part))];
    }),
  );
  return { ...subject, checks: [...checks, 'no tensor leaks'] };
}

/** A run that leaves room for resets, cycles and warm-up. */
const SPEC: RunSpecInput = { dataset: 'check', backbone: 'check', batchSize: 8, epochs: 12 };

async function checkBody(kind: keyof typeof partKinds, subject: Subject, spec: RunSpec, part: Part): Promise<string[]> {
  if (kind === 'augmentations') return checkAugmentation(subject, part);
  if (kind === 'schedules') return checkRates(subject, spec);
  if (kind === 'resets') return [...checkReset(subject, spec), ...checkRates(subject, spec)];
  const isRateOnly = kind === 'tricks' && tricks.get(part.name).body.create === undefined;
  return [...checkRates(subject, spec), ...(isRateOnly ? [] : await checkStep(subject, spec))];
}

/** The part with `options`. @throws KitError when JSON changes it, or when its options do not give it again. */
function checkOptions<O>({ kind, name }: Subject, definition: CheckedDefinition<O>, options: O | undefined): Part {
  const part = definition(options);
  const text = JSON.stringify(part);
  const read = JSON.parse(text) as Part;
  const again = isDeepStrictEqual(read, part) ? definition(optionsOf(read) as O) : read;
  if (!isDeepStrictEqual(again, part))
    throw new KitError(`The options of the ${kind} "${name}" do not survive JSON: ${text}.`, {
      code: 'EXTENSION_OPTIONS',
      fix: 'Use numbers, texts, booleans, null, lists and objects, and transforms that leave their results unchanged.',
    });
  return part;
}

/** The result of `run`. @throws KitError when it leaves tensors behind. */
async function withoutLeaks<R>({ kind, name }: Subject, run: () => Promise<R>): Promise<R> {
  const before = tf.memory().numTensors;
  const result = await run();
  const left = tf.memory().numTensors - before;
  if (left > 0)
    throw new KitError(`The ${kind} "${name}" leaks ${left} tensors.`, {
      code: 'EXTENSION_LEAK',
      fix: 'Do not use tf.keep. Return what `create` makes as `variables`, or free it in `dispose`.',
    });
  return result;
}
