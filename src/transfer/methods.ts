// The methods that tables compare: names for parts of a spec. The study of a paper defines them.
import stableStringify from 'safe-stable-stringify';
import { partSchema, type AnyDefinition, type Part } from '../base/definitions/part';
import { callSite, Registry } from '../base/definitions/registry';
import { KitError } from '../base/errors';
import { withoutOlderFields } from './spec/older-spec';
import { partKinds } from './spec/parts';
import type { RunSpec, RunSpecInput } from './spec/spec';

/** The parts of a spec that a method always decides. */
export interface MethodParts {
  regularizers: readonly Part[];
  tricks: readonly Part[];
  reset: Part | null;
}

/** Further fields of a spec that a method may decide. */
export interface MethodSettings {
  schedule?: Part;
  optimizer?: RunSpecInput['optimizer'];
  augmentation?: Part;
}

/** A method by name. */
export interface Method extends MethodParts, MethodSettings {
  name: string;
  title: string;
  /** Paper, and the source of its hyper-parameters. */
  source: string;
  /** Name of the method that it is compared with: the same without the change under study. `null`: none. */
  control: string | null;
  /** Its colour in figures, for example `#c1121f`; `null`: the figure chooses. */
  colour: string | null;
  /** Our own grid, the default first, if no source gives the hyper-parameters. Empty: nothing is tried. */
  grid: readonly Partial<MethodParts>[];
}

/** A method as it is defined: a part may be its name alone. */
export interface MethodInput {
  /** With a slash (`jdoe/cutout`), unless it is the kit's own. */
  name: string;
  title?: string;
  source?: string;
  regularizers?: readonly (Part | string)[];
  tricks?: readonly (Part | string)[];
  reset?: Part | string | null;
  schedule?: Part | string;
  optimizer?: RunSpecInput['optimizer'];
  augmentation?: Part | string;
  control?: string | null;
  colour?: string | null;
  grid?: readonly { regularizers?: readonly Part[]; tricks?: readonly Part[]; reset?: Part | null }[];
}

/** Longest title of a method, in characters. */
const MAX_TITLE = 120;

const registry = new Registry<Method>('method');

/** Defines a method: a name for parts of a spec. @throws KitError for an unknown part or a wrong option. */
export function defineMethod(input: MethodInput): Method {
  const { name, title = name, source = '', control = null, colour = null, grid = [] } = input;
  const all = <B>(kind: Registry<AnyDefinition<B>>, parts: readonly (Part | string)[] = []): Part[] =>
    parts.map((part) => complete(name, kind, part));
  if (colour !== null && !/^#[0-9a-f]{6}$/i.test(colour))
    throw new KitError(`The method "${name}" has the colour ${JSON.stringify(colour)}.`, {
      code: 'METHOD_COLOUR',
      fix: 'Give it as "#c1121f", or leave it out.',
    });
  if (title.length > MAX_TITLE)
    throw new KitError(`The method "${name}" has a title of ${title.length} characters.`, {
      code: 'METHOD_TITLE',
      fix: `Give one of at most ${MAX_TITLE}: it stands in tables and figures.`,
    });
  const method: Method = {
    name,
    title,
    source,
    regularizers: all(partKinds.regularizers, input.regularizers),
    tricks: all(partKinds.tricks, input.tricks),
    reset: input.reset == null ? null : complete(name, partKinds.resets, input.reset),
    ...(input.schedule === undefined ? {} : { schedule: complete(name, partKinds.schedules, input.schedule) }),
    ...(input.augmentation === undefined
      ? {}
      : { augmentation: complete(name, partKinds.augmentations, input.augmentation) }),
    ...(input.optimizer === undefined ? {} : { optimizer: input.optimizer }),
    control,
    colour,
    grid: grid.map((tried) => ({
      ...(tried.regularizers === undefined ? {} : { regularizers: all(partKinds.regularizers, tried.regularizers) }),
      ...(tried.tricks === undefined ? {} : { tricks: all(partKinds.tricks, tried.tricks) }),
      ...(tried.reset == null ? {} : { reset: complete(name, partKinds.resets, tried.reset) }),
    })),
  };
  return registry.add(name, method, callSite(defineMethod));
}

/** A part with its defaults. */
function complete<B>(method: string, kind: Registry<AnyDefinition<B>>, part: Part | string): Part {
  const parsed = partSchema(kind).safeParse(part);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`);
  throw new KitError(`The method "${method}" has a ${kind.kind} that is not valid: ${problems.join('; ')}.`, {
    code: 'METHOD_PARTS',
    fix: `Correct the ${kind.kind} ${JSON.stringify(part)}.`,
  });
}

/** The methods by name. */
export const methods = {
  /** All of them, in the order of their definition, which is that of the tables. */
  list: (): readonly Method[] => registry.list(),

  /** Whether the method `name` is one of the kit's own. */
  isBuiltIn: (name: string): boolean => registry.isBuiltIn(name),

  /** @throws KitError with the near names for an unknown one. */
  get: (name: string): Method => registry.get(name),

  /** `spec` with everything that the method decides. @throws KitError for an unknown method. */
  apply(name: string, spec: RunSpecInput): RunSpecInput {
    const { regularizers, tricks, reset, schedule, optimizer, augmentation } = registry.get(name);
    return {
      ...(withoutOlderFields(spec) as RunSpecInput),
      regularizers,
      tricks,
      reset,
      ...(schedule === undefined ? {} : { schedule }),
      ...(augmentation === undefined ? {} : { augmentation }),
      ...(optimizer === undefined ? {} : { optimizer: { ...spec.optimizer, ...optimizer } }),
    };
  },

  /**
   * The name of a run of `spec` in tables: that of the method whose parts it has (the one that decides most), else one
   * made of the names of its parts.
   */
  nameOf(spec: MethodParts & Partial<Pick<RunSpec, 'schedule' | 'optimizer' | 'augmentation'>>): string {
    const known = registry
      .list()
      .filter((method) => sameParts(method, spec) && sameSettings(method, spec))
      .sort((a, b) => settingsOf(b).length - settingsOf(a).length)[0];
    return known?.name ?? nameOfParts(spec);
  },
};

const sameParts = (a: MethodParts, b: MethodParts): boolean => partsText(a) === partsText(b);

const partsText = ({ regularizers, tricks, reset }: MethodParts): string =>
  stableStringify([regularizers, tricks, reset])!;

/** The settings that a method decides: field, value. */
const settingsOf = ({ schedule, optimizer, augmentation }: MethodSettings): [keyof MethodSettings, object][] =>
  Object.entries({ schedule, optimizer, augmentation }).filter(([, value]) => value !== undefined) as [
    keyof MethodSettings,
    object,
  ][];

const sameSettings = (method: Method, spec: Partial<MethodSettings>): boolean =>
  settingsOf(method).every(([field, decided]) =>
    Object.entries(decided).every(
      ([option, value]) =>
        stableStringify((spec[field] as Record<string, unknown> | undefined)?.[option]) === stableStringify(value),
    ),
  );

/** A name from the names of the parts. A part of the kit with other options than any method's is marked `custom`. */
function nameOfParts({ regularizers, tricks, reset }: MethodParts): string {
  const named = ({ name }: Part): string => (name.includes('/') ? name : `${name}:custom`);
  const preset = reset?.preset;
  const names = [
    ...regularizers.map(named),
    ...tricks.map(named),
    ...(reset === null
      ? []
      : [typeof preset === 'string' && preset !== 'authors' ? `${reset.name}:${preset}` : named(reset)]),
  ];
  return names.join('+') || 'fine-tuning';
}
