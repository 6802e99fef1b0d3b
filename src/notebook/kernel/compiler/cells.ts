// Runs cells: each is compiled with what earlier ones declared, run as a function of the shared variables, and ends in
// a value or a failure.
import { createRequire } from 'node:module';
import path from 'node:path';
import vm from 'node:vm';
import type TypeScript from 'typescript';
import { packageRoot } from '../../../base/home';
import { createConverter, tslabFolder, typescript, type Converted, type Converter } from './converter';
import { failureOf, refusal, type CellFailure, type FailedCell } from '../failure';
import { newModule } from './node-module';
import { rememberCell, scriptName } from './positions';
import { BIND } from './transforms';
import { Variables } from './variables';

/** How a cell ended; `value` is that of its last expression. */
export type CellOutcome = { ok: true; value: unknown } | { ok: false; failure: CellFailure };

const HEAD = (isAsync: boolean): string => `(${isAsync ? 'async ' : ''}function (exports, require, ${BIND}) { `;
const TAIL = '\n})';

/** The names that a compiled cell declares, but for functions: the compiler clears them all at its beginning. */
const CLEARS = /^(?:exports\.[\w$]+ = )+void 0;$/m;
const MAPS = /\n\/\/# rifle-maps=(\S+)\s*$/;

/** The cells of one notebook, in the order in which they are run. */
export class Cells {
  readonly variables = new Variables();
  private readonly converter: Converter = createConverter();
  private readonly require: NodeJS.Require;
  private readonly modules = new SideModules();
  private declarations = '';

  /**
   * @param folder the notebook's.
   * @param onFirstPart told when the part of a cell before its first `await` begins and ends.
   */
  constructor(
    folder: string,
    private readonly onFirstPart: (isFirst: boolean) => void,
  ) {
    this.require = this.modules.requireFrom(createRequire(path.join(folder, 'notebook.js')), folder);
    // The first program takes most of a second, which is better spent before somebody waits for a cell.
    this.converter.convert('', '0');
  }

  /**
   * Runs a cell.
   * @param interrupted rejects when the cell is to be given up, whatever it still does.
   */
  async run(cell: FailedCell, interrupted: Promise<never>): Promise<CellOutcome> {
    const name = moduleName(cell.source);
    if (name !== null) return outcomeOf(this.converter.addModule(name, cell.source, {}), cell);
    const converted = this.converter.convert(this.declarations, cell.source);
    this.modules.update(converted.sideOutputs);
    if (converted.diagnostics.length > 0) return { ok: false, failure: refusal(converted.diagnostics, cell) };
    if (converted.output === undefined) {
      this.declarations = converted.declOutput ?? '';
      return { ok: true, value: undefined };
    }
    try {
      // What ends a cell from outside ends the whole stack: nothing of the kernel may be on it.
      await new Promise((resolve) => setImmediate(resolve));
      const returned = this.start(cell, converted);
      if (converted.hasToplevelAwait) await Promise.race([returned, interrupted]);
      this.declarations = converted.declOutput ?? '';
      const { lastExpressionVar: last } = converted;
      const value = last === undefined ? undefined : this.variables.take(last);
      return { ok: true, value: isPromise(value) ? await Promise.race([value, interrupted]) : value };
    } catch (error) {
      return { ok: false, failure: failureOf(error, cell) };
    }
  }

  /** What may stand at `position` of `source`. */
  complete(source: string, position: number): ReturnType<Converter['complete']> {
    return this.converter.complete(this.declarations, source, position);
  }

  /** What is at `position` of `source`. */
  inspect(source: string, position: number): TypeScript.QuickInfo | undefined {
    return this.converter.inspect(this.declarations, source, position);
  }

  /** Runs the compiled cell up to its first `await`. */
  private start(cell: FailedCell, { output = '', hasToplevelAwait = false }: Converted): unknown {
    const maps = MAPS.exec(output);
    // A name keeps its earlier value until this cell declares it, also when the cell fails before.
    const code = output.replace(MAPS, '').replace(CLEARS, (clears) => {
      for (const [, name] of clears.matchAll(/exports\.([\w$]+)/g)) this.variables.redeclare(name);
      return '';
    });
    if (maps !== null)
      rememberCell(
        cell.number,
        cell.source,
        code,
        JSON.parse(Buffer.from(maps[1], 'base64').toString('utf8')) as string[],
      );
    const head = HEAD(hasToplevelAwait);
    const script = new vm.Script(head + code + TAIL, {
      filename: scriptName(cell.number),
      columnOffset: -head.length,
      importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    this.onFirstPart(true);
    try {
      return (script.runInThisContext({ displayErrors: false }) as (...values: unknown[]) => unknown)(
        this.variables.exports,
        this.require,
        this.variables.offer,
      );
    } finally {
      this.onFirstPart(false);
    }
  }
}

function outcomeOf(diagnostics: Converted['diagnostics'], cell: FailedCell): CellOutcome {
  return diagnostics.length > 0 ? { ok: false, failure: refusal(diagnostics, cell) } : { ok: true, value: undefined };
}

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

/** The name in a cell's `@module` comment, by which other cells import it; as tslab has it. */
function moduleName(source: string): string | null {
  if (!source.includes('@module')) return null;
  const comment = /^\s*\/\*\*[\s\S]*?\*\//.exec(source)?.[0] ?? '';
  return /@module\s+(\w+)/.exec(comment)?.[1] ?? null;
}

/** TypeScript files beside the notebook and `@module` cells, compiled in memory. */
class SideModules {
  private readonly compiled = new Map<string, string>();
  private readonly loaded = new Map<string, unknown>();

  update(outputs: Converted['sideOutputs'] = []): void {
    for (const { path: file, data } of outputs) {
      this.loaded.delete(file);
      this.compiled.set(file, data.replace(MAPS, ''));
    }
  }

  /** `require` for code in `folder`: first what is compiled here, then Node's own. */
  requireFrom(own: NodeJS.Require, folder: string): NodeJS.Require {
    return new Proxy(own, {
      apply: (_own, _this, [id]: [string]) => {
        if (id === 'tslab') return require(tslabFolder()) as unknown;
        const file = path.resolve(folder, path.extname(id) === '' ? `${id}.js` : id);
        if (this.loaded.has(file)) return this.loaded.get(file);
        const text = this.compiled.get(file);
        if (text !== undefined) return this.load(file, text);
        try {
          return own(id) as unknown;
        } catch (error) {
          // A notebook anywhere may import the kit that its kernel belongs to, and what that is made of.
          const isMissing =
            (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND' &&
            String((error as Error).message).includes(`'${id}'`);
          if (!isMissing || /^[./]/.test(id)) throw error;
          if (id === 'rifle-kit') return require(packageRoot()) as unknown;
          const ofKit = createRequire(path.join(packageRoot(), 'package.json'));
          try {
            return ofKit(id) as unknown;
          } catch {
            throw error;
          }
        }
      },
    });
  }

  private load(file: string, text: string): unknown {
    const loading = newModule(file, path.dirname(file));
    loading.require = this.requireFrom(createRequire(file), path.dirname(file));
    loading._compile(text, file);
    this.loaded.set(file, loading.exports);
    return loading.exports;
  }
}

/** The version of TypeScript that cells are written in. */
export const typescriptVersion = (): string => typescript().version;
