// Runs cells: each is compiled with the declarations of earlier cells, and runs as a function that shares its
// variables. The result is a value or a failure.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import type ts from 'typescript';
import { failureOf, refusal, type CellFailure, type FailedCell } from './failure';
import type { Declaration } from './compiler/declarations';
import { Converter, type CompiledCell } from './compiler/converter';
import { importedValue, NotebookModules } from './modules/modules';
import { rememberCell, scriptName } from './compiler/positions';
import { RUNTIME, type CellImport } from './compiler/transforms';
import { restoreGlobals, Variables } from './variables';

/** How a cell ended; `value` is that of its last expression. */
export type CellOutcome = { ok: true; value: unknown } | { ok: false; failure: CellFailure };

/** A running cell: the names that it has declared so far. */
interface RunningCell {
  declared: Set<string>;
  isOver: boolean;
}

/** The names of Node's modules are arguments of an outer function, so that a cell may declare them itself. */
const ARGUMENTS = ['exports', 'require', 'module', '__filename', '__dirname', RUNTIME].join(', ');
const head = (isAsync: boolean): string =>
  `(function (${ARGUMENTS}) { "use strict"; return (${isAsync ? 'async ' : ''}function () { `;
const TAIL = '\n})})';

/** The cells of one notebook, in the order in which they are run. */
export class Cells {
  readonly variables = new Variables();
  private readonly converter: Converter;
  private readonly modules: NotebookModules;
  /** The file name of the code of cells. */
  private readonly file: string;
  private readonly require: NodeJS.Require;
  private readonly meta: object;

  /**
   * @param folder the notebook's.
   * @param onFirstPart called when the part of a cell before its first `await` begins and ends.
   */
  constructor(
    folder: string,
    private readonly onFirstPart: (isFirst: boolean) => void,
  ) {
    this.converter = new Converter(folder);
    this.modules = new NotebookModules(this.converter.program);
    this.file = path.join(folder, 'notebook.ts');
    this.require = this.modules.requireFrom(this.file);
    const resolve = (id: string): string => pathToFileURL(this.require.resolve(id)).href;
    this.meta = { url: pathToFileURL(this.file).href, dirname: folder, filename: this.file, resolve };
    // The first program takes most of a second: it is compiled before the first cell.
    this.converter.convert('0');
  }

  /**
   * Runs a cell.
   * @param interrupted rejects when the cell is to be abandoned, also when its code continues.
   */
  async run(cell: FailedCell, interrupted: Promise<never>): Promise<CellOutcome> {
    const name = moduleName(cell.source);
    if (name !== null) {
      const problems = this.converter.addModule(name, cell.source);
      return problems.length > 0 ? { ok: false, failure: refusal(problems, cell) } : { ok: true, value: undefined };
    }
    const compiled = this.converter.convert(cell.source);
    if (Array.isArray(compiled)) return { ok: false, failure: refusal(compiled, cell) };
    const running = { declared: new Set<string>(), isOver: false };
    let isWhole = false;
    try {
      const script = this.load(cell, compiled);
      for (const each of compiled.imports) {
        const failure = await Promise.race([this.import(each, cell), interrupted]);
        if (failure !== null) return { ok: false, failure };
        for (const [local] of each.names) running.declared.add(local);
      }
      // What ends a cell from outside ends the whole stack: nothing of the kernel may be on it.
      await new Promise((resolve) => setImmediate(resolve));
      const returned = this.start(script, running);
      const value = compiled.isAsync ? await Promise.race([returned, interrupted]) : returned;
      isWhole = true;
      return { ok: true, value: isPromise(value) ? await Promise.race([value, interrupted]) : value };
    } catch (error) {
      return { ok: false, failure: failureOf(error, cell) };
    } finally {
      restoreGlobals();
      running.isOver = true;
      // What a cell declared before it failed is there: names that it did not reach keep their earlier value and type.
      const isThere = ({ name, meaning, isAmbient }: Declaration): boolean =>
        isWhole || name === null || meaning === 'type' || isAmbient || running.declared.has(name);
      this.converter.declarations.add(compiled.declared.filter(isThere));
    }
  }

  /** The completions at `position` of `source`. */
  complete(source: string, position: number): ts.CompletionInfo | undefined {
    const { program, declarations } = this.converter;
    program.with(declarations.text, source);
    return program.service.getCompletionsAtPosition(program.cellFile, position, {});
  }

  /** The documentation of the name at `position` of `source`. */
  inspect(source: string, position: number): ts.QuickInfo | undefined {
    const { program, declarations } = this.converter;
    program.with(declarations.text, source);
    return program.service.getQuickInfoAtPosition(program.cellFile, position);
  }

  /** Makes the names of an import variables; the failure when it has one. */
  private async import({ specifier, names, line }: CellImport, cell: FailedCell): Promise<CellFailure | null> {
    try {
      const module = await this.modules.import(specifier, this.file);
      for (const [name, exported] of names) {
        if (exported === '*' || exported === '=') this.variables.offer(name, importedValue(module, exported));
        else this.variables.share(name, () => importedValue(module, exported));
      }
      return null;
    } catch (error) {
      return failureOf(error, cell, line);
    }
  }

  /** The functions that the JavaScript of a cell calls. An abandoned cell that still runs declares nothing more. */
  private runtimeOf(running: RunningCell): object {
    const { variables, meta } = this;
    const declare =
      <V extends unknown[]>(how: (name: string, ...values: V) => void) =>
      (name: string, ...values: V): void => {
        if (running.isOver) return;
        running.declared.add(name);
        how(name, ...values);
      };
    const { import: load } = this.require as unknown as { import: unknown };
    return {
      offer: declare(variables.offer),
      share: declare(variables.share),
      scope: variables.scope,
      meta,
      import: load,
    };
  }

  private load(cell: FailedCell, { code, map, isAsync }: CompiledCell): vm.Script {
    this.modules.refresh();
    rememberCell(cell.number, cell.source, code, map);
    const before = head(isAsync);
    return new vm.Script(before + code + TAIL, {
      filename: scriptName(cell.number),
      columnOffset: -before.length,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
  }

  /** Runs the compiled cell up to its first `await`. */
  private start(script: vm.Script, running: RunningCell): unknown {
    const outer = script.runInThisContext({ displayErrors: false }) as (...values: unknown[]) => () => unknown;
    const module = { exports: {} };
    const surroundings = [module.exports, this.require, module, this.file, path.dirname(this.file)];
    const inner = outer(...surroundings, this.runtimeOf(running));
    this.onFirstPart(true);
    try {
      return inner();
    } finally {
      restoreGlobals();
      this.onFirstPart(false);
    }
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  try {
    return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return false; // a getter or a proxy throws
  }
}

/** The name in a cell's `@module` comment, by which other cells import it; as tslab has it. */
function moduleName(source: string): string | null {
  if (!source.includes('@module')) return null;
  const comment = /^\s*\/\*\*[\s\S]*?\*\//.exec(source)?.[0] ?? '';
  return /@module\s+(\w+)/.exec(comment)?.[1] ?? null;
}
