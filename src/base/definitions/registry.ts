// Definitions by name: those of the kit, and those that a study adds. Each knows the file that it comes from.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { KitError, unknownName } from '../errors';

/** Where a definition was made. */
export interface Origin {
  /** Path of the file; `null` for a notebook cell or other code without a file. */
  file: string | null;
  /** 1-based; `null` when it is not known. */
  line: number | null;
  /** The extension that was being loaded, when another file called `define`. */
  loadedBy?: string;
}

/** The extension that is being loaded. */
let loading: string | null = null;

/** Loads an extension by `load`: the definitions that are made meanwhile are of this file. */
export async function whileLoading<T>(file: string, load: () => Promise<T>): Promise<T> {
  const before = loading;
  loading = file;
  try {
    return await load();
  } finally {
    loading = before;
  }
}

/** Folder of the compiled kit: definitions from its files are built in. */
export const kitFolder = path.resolve(__dirname, '..', '..') + path.sep;

/** All registries, by kind. */
const registries = new Map<string, Registry<unknown>>();

/** Definitions that were made so far. */
let place = 0;

/** Definitions of one kind by name, in the order in which they were made. */
export class Registry<D> {
  private readonly entries = new Map<string, { definition: D; origin: Origin; place: number }>();

  /**
   * @param kind in the singular, as messages use it: `'regularizer'`.
   * @param twice the code of the error for a name that another file has taken.
   */
  constructor(
    readonly kind: string,
    private readonly twice = 'DEFINITION_TWICE',
  ) {
    registries.set(kind, this);
  }

  /**
   * Adds a definition. A definition of the same name from the same file (or from notebook cells) is replaced, and one
   * from a file that was deleted or renamed.
   * @throws KitError when the name is taken by another file, or has no slash and is not the kit's own.
   */
  add(name: string, definition: D, origin: Origin): D {
    const other = this.entries.get(name);
    if (other !== undefined && other.origin.file !== origin.file && isThere(other.origin)) {
      throw new KitError(
        `The ${this.kind} "${name}" is defined twice: in ${originText(other.origin)} and in ${originText(origin)}.`,
        { code: this.twice, fix: 'Rename one of them, or load one of the files only.' },
      );
    }
    if (typeof name !== 'string')
      throw new KitError(`The ${this.kind} in ${originText(origin)} needs a name.`, {
        code: 'DEFINITION_NAME',
        fix: 'Use for example "my-project/cutout".',
      });
    if (!isBuiltIn(origin) && !/^[^/\s]+\/[^/\s]+$/.test(name)) {
      throw new KitError(`The ${this.kind} "${name}" in ${originText(origin)} needs a name with one slash.`, {
        code: 'DEFINITION_NAME',
        fix: `Names without a slash are the kit's own. Use for example "my-project/${name.replaceAll('/', '-')}".`,
      });
    }
    this.entries.set(name, { definition, origin, place: place++ });
    return definition;
  }

  /** The definition `name`; undefined when there is none. */
  find(name: string): D | undefined {
    return this.entries.get(name)?.definition;
  }

  /** @throws KitError with near names for an unknown one, and for a name with a slash: which file must be loaded. */
  get(name: string): D {
    const definition = this.find(name);
    if (definition !== undefined) return definition;
    const error = unknownName(this.kind, name, [...this.entries.keys()]);
    if (!name.includes('/')) throw error;
    throw new KitError(`${error.message} A name with a slash is defined by a study, not by the kit.`, {
      code: error.code,
      fix:
        `Import the file that defines it (in commands: --extension FILE), or run its cell. ` +
        `Files with definitions so far: ${this.files()}. ${error.fix}`,
    });
  }

  list(): readonly D[] {
    return [...this.entries.values()].map(({ definition }) => definition);
  }

  /** All names, in the order of `list`. */
  names(): string[] {
    return [...this.entries.keys()];
  }

  /** All of them with their places among the definitions of all kinds. */
  entriesInOrder(): (Guest & { definition: unknown; place: number })[] {
    return [...this.entries].map(([name, entry]) => ({ kind: this.kind, name, ...entry }));
  }

  /** The files of the definitions that are not the kit's own, in words. */
  private files(): string {
    const guests = this.names().filter((name) => !this.isBuiltIn(name));
    const files = guests.map((name) => originText({ ...this.originOf(name)!, line: null }));
    return [...new Set(files)].join(', ') || 'none';
  }

  /** Where the definition `name` was made; undefined when there is none. */
  originOf(name: string): Origin | undefined {
    return this.entries.get(name)?.origin;
  }

  /** Whether the definition `name` is the kit's own. */
  isBuiltIn(name: string): boolean {
    const origin = this.originOf(name);
    return origin !== undefined && isBuiltIn(origin);
  }

  /** Removes the definition `name`, for tests. */
  remove(name: string): void {
    this.entries.delete(name);
  }
}

/** A definition that is not the kit's own. */
export interface Guest {
  kind: string;
  name: string;
  origin: Origin;
}

/** All definitions of all kinds that are not the kit's own. */
export const guests = (): Guest[] =>
  allDefinitions()
    .filter(({ origin }) => !isBuiltIn(origin))
    .map(({ kind, name, origin }) => ({ kind, name, origin }));

/** All definitions, in the order in which they were made. */
export const allDefinitions = (): (Guest & { definition: unknown })[] =>
  [...registries.values()]
    .flatMap((registry) => registry.entriesInOrder())
    .sort((a, b) => a.place - b.place)
    .map(({ place: _, ...entry }) => entry);

/** Removes all definitions whose names begin with `prefix`, for tests. */
export function forgetDefinitions(prefix: string): void {
  for (const registry of registries.values())
    for (const name of registry.names()) if (name.startsWith(prefix)) registry.remove(name);
}

/** Whether the file of a definition still exists; cells do. */
const isThere = ({ file }: Origin): boolean => file === null || fs.existsSync(file);

/** Whether a definition is the kit's own. */
export const isBuiltIn = ({ file }: Origin): boolean => file?.startsWith(kitFolder) ?? false;

/** `extensions/cutout.ts:5`, or `a notebook cell`. */
export const originText = ({ file, line }: Origin): string =>
  file === null ? 'a notebook cell' : `${path.relative(process.cwd(), file) || file}${line === null ? '' : `:${line}`}`;

/** The place in the code that called `define`. Code without a file on disk has the file `null`. */
export function callSite(define: (...args: never[]) => unknown): Origin {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_, sites) => sites;
    const holder: { stack?: NodeJS.CallSite[] } = {};
    Error.captureStackTrace(holder, define);
    const site = holder.stack?.[0];
    const name = site?.getFileName() ?? null;
    const file = name?.startsWith('file://') ? fileURLToPath(name) : name;
    if (file === null || !path.isAbsolute(file) || !fs.existsSync(file)) return { file: null, line: null };
    // Where stacks are rewritten (a notebook's kernel), the text has the line of the source.
    const shown = prepareStackTrace && /:(\d+):\d+\)?\s*$/.exec(String(prepareStackTrace(new Error(), [site!])));
    const origin = { file: fs.realpathSync(file), line: shown ? Number(shown[1]) : (site?.getLineNumber() ?? null) };
    return loading === null || loading === origin.file ? origin : { ...origin, loadedBy: loading };
  } finally {
    Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  }
}
