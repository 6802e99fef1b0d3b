// What cells import: files beside the notebook, compiled in memory and loaded again after an edit, and packages,
// whether CommonJS or ES modules.
import fs from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import util from 'node:util';
import vm from 'node:vm';
import ts from 'typescript';
import { packageRoot } from '../../../base/home';
import { newModule, type TextModule } from './node-module';
import { rememberModule } from '../compiler/positions';
import type { NotebookProgram } from '../compiler/program';
import { tslab } from './tslab';

/** A file beside the notebook that was loaded. */
interface Loaded {
  module: TextModule;
  text: string;
  /** The files that it imports. */
  imports: Set<string>;
}

/** The modules of one notebook. */
export class NotebookModules {
  private readonly loaded = new Map<string, Loaded>();
  /** ES modules that `require` cannot load, by folder and specifier. */
  private readonly native = new Map<string, unknown>();

  constructor(private readonly program: NotebookProgram) {}

  /** Forgets the files that were edited since they were loaded, and all that import them. */
  refresh(): void {
    const stale = new Set(
      [...this.loaded].filter(([file, { text }]) => this.program.textOf(file) !== text).map(([file]) => file),
    );
    for (let size = -1; size !== stale.size;) {
      size = stale.size;
      for (const [file, { imports }] of this.loaded) if ([...imports].some((each) => stale.has(each))) stale.add(file);
    }
    for (const file of stale) this.loaded.delete(file);
  }

  /** Loads what `specifier` names in `from`, with all that it imports. */
  async import(specifier: string, from: string): Promise<unknown> {
    const file = this.program.resolveLocal(specifier, from);
    if (file === null) return this.importPackage(specifier, from);
    if (/\.m[jt]s$/.test(file)) return this.importNative(`${pathToFileURL(file).href}?${versionOf(file)}`, from);
    await this.prepare(file, new Set());
    return this.load(file, from);
  }

  /** `require` for code in `from`, with a property `import` for its dynamic imports. */
  requireFrom(from: string): NodeJS.Require {
    const own = createRequire(from);
    const require = new Proxy(own, { apply: (_own, _this, [id]: [string]) => this.require(id, from, own) });
    return Object.assign(require, { import: async (id: unknown) => namespaceOf(await this.import(String(id), from)) });
  }

  private require(id: string, from: string, own: NodeJS.Require): unknown {
    if (id === 'tslab') return tslab();
    const native = this.native.get(keyOf(id, from));
    if (native !== undefined) return native;
    const file = this.program.resolveLocal(id, from);
    if (file !== null && !file.endsWith('.mjs')) return this.load(file, from);
    return withKit(id, own, (require) => require(id) as unknown);
  }

  /** Before a file runs, the ES modules that it and its files import are loaded: `require` cannot wait for them. */
  private async prepare(file: string, seen: Set<string>): Promise<void> {
    if (seen.has(file) || this.loaded.has(file) || file.endsWith('.json')) return;
    seen.add(file);
    const { importedFiles } = ts.preProcessFile(this.program.textOf(file) ?? '', true, true);
    for (const { fileName } of importedFiles) {
      const found = this.program.resolveLocal(fileName, file);
      if (found !== null && !found.endsWith('.mjs')) await this.prepare(found, seen);
      // What a file names only as a type may not exist as a module: an error is for the moment when it is required.
      else await this.import(fileName, file).catch(() => undefined);
    }
  }

  private load(file: string, from: string): unknown {
    this.loaded.get(from)?.imports.add(file);
    const known = this.loaded.get(file);
    if (known !== undefined) return known.module.exports;
    const text = this.program.textOf(file) ?? '';
    const module = newModule(file, path.dirname(file));
    // Known before it runs, as files may import each other in a circle.
    this.loaded.set(file, { module, text, imports: new Set() });
    try {
      if (file.endsWith('.json')) module.exports = JSON.parse(text);
      else {
        const require = this.requireFrom(file);
        Object.assign(module, { require, import: (require as unknown as { import: unknown }).import });
        module._compile(this.compile(file, text), file);
      }
    } catch (error) {
      this.loaded.delete(file);
      throw error;
    }
    return module.exports;
  }

  private compile(file: string, text: string): string {
    const { outputText, sourceMapText } = ts.transpileModule(text, {
      fileName: file,
      compilerOptions: {
        ...this.program.options,
        module: ts.ModuleKind.CommonJS,
        moduleResolution: undefined,
        moduleDetection: ts.ModuleDetectionKind.Auto,
        declaration: false,
        outDir: undefined,
      },
      transformers: { before: [moduleTransformer] },
    });
    rememberModule(file, sourceMapText ?? '{}');
    return outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, '');
  }

  /** A package or a module of Node: by `require` where that works, so that it is loaded once; else as an ES module. */
  private async importPackage(id: string, from: string): Promise<unknown> {
    if (id === 'tslab') return tslab();
    const key = keyOf(id, from);
    if (this.native.has(key)) return this.native.get(key);
    const own = createRequire(from);
    if (isBuiltin(id)) return own(id) as unknown;
    let file: string | null = null;
    try {
      file = withKit(id, own, (require) => require.resolve(id));
      if (!isEsModule(file)) return withKit(id, own, (require) => require(id) as unknown);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED' && code !== 'ERR_REQUIRE_ESM' && code !== 'ERR_REQUIRE_ASYNC_MODULE')
        throw error;
    }
    const isOwn = file !== null && !file.includes('/node_modules/');
    const found = await this.importNative(isOwn ? `${pathToFileURL(file!).href}?${versionOf(file!)}` : id, from);
    this.native.set(key, found);
    return found;
  }

  /** As `import()` in a file of the folder. */
  private importNative(specifier: string, from: string): Promise<unknown> {
    const script = new vm.Script('(specifier) => import(specifier)', {
      filename: path.join(path.dirname(from), '__import__.js'),
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    return (script.runInThisContext() as (specifier: string) => Promise<unknown>)(specifier);
  }
}

/** Node warns that the loader of scripts is experimental: a cell did not ask for it. */
const { emitWarning } = process;
process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
  if (!String(warning).includes('USE_MAIN_CONTEXT_DEFAULT_LOADER'))
    (emitWarning as (...values: unknown[]) => void).call(process, warning, ...rest);
};

/** The value of a module that `name` of an import stands for: `default`, `*` for all, `=` for `module.exports`. */
export function importedValue(module: unknown, name: string): unknown {
  if (name === '=') return module;
  if (name === '*') return namespaceOf(module);
  if (name === 'default' && !isEsNamespace(module)) return module;
  return (module as Record<string, unknown> | null | undefined)?.[name];
}

/** A module as `import * as` gives it: CommonJS has a `default`, which is its `module.exports`. */
function namespaceOf(module: unknown): unknown {
  if (isEsNamespace(module)) return module;
  const namespace: Record<string, unknown> = { default: module };
  if ((typeof module === 'object' || typeof module === 'function') && module !== null)
    for (const key of Object.keys(module))
      if (key !== 'default')
        Object.defineProperty(namespace, key, {
          enumerable: true,
          get: () => (module as Record<string, unknown>)[key],
        });
  return namespace;
}

const isEsNamespace = (module: unknown): boolean =>
  util.types.isModuleNamespaceObject(module) ||
  (typeof module === 'object' && module !== null && (module as { __esModule?: unknown }).__esModule === true);

const keyOf = (id: string, from: string): string => `${path.dirname(from)}\0${id}`;

const versionOf = (file: string): string => String(fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0);

/** Whether Node reads a file as an ES module. */
function isEsModule(file: string): boolean {
  if (!/\.[cm]?js$/.test(file) || file.endsWith('.cjs')) return false;
  if (file.endsWith('.mjs')) return true;
  for (let folder = path.dirname(file); path.dirname(folder) !== folder; folder = path.dirname(folder)) {
    const description = path.join(folder, 'package.json');
    if (fs.existsSync(description))
      return (JSON.parse(fs.readFileSync(description, 'utf8')) as { type?: string }).type === 'module';
  }
  return false;
}

/** Loads by `own`; a notebook anywhere may import the kit that its kernel belongs to, and what that is made of. */
function withKit<T>(id: string, own: NodeJS.Require, load: (require: NodeJS.Require) => T): T {
  try {
    return load(own);
  } catch (error) {
    const isMissing =
      (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND' &&
      String((error as Error).message).includes(`'${id}'`);
    if (!isMissing || /^[./]/.test(id)) throw error;
    const ofKit = createRequire(path.join(packageRoot(), 'package.json'));
    if (id === 'rifle-kit') return load(kitItself(ofKit));
    try {
      return load(ofKit);
    } catch {
      throw error;
    }
  }
}

/** A `require` for which 'rifle-kit' is the kit's own folder. */
function kitItself(ofKit: NodeJS.Require): NodeJS.Require {
  const kit = (): unknown => ofKit(packageRoot());
  return Object.assign(kit, { resolve: () => ofKit.resolve(packageRoot()) }) as unknown as NodeJS.Require;
}

/** In a file that becomes CommonJS, `import()` and `import.meta` work as in the ES module that it is. */
const moduleTransformer: ts.TransformerFactory<ts.SourceFile> = (transformation) => (file) => {
  const { factory } = ts;
  const name = (text: string): ts.Identifier => factory.createIdentifier(text);
  const visit = (node: ts.Node): ts.Node => {
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      return factory.createCallExpression(
        factory.createPropertyAccessExpression(name('module'), 'import'),
        undefined,
        ts.visitNodes(node.arguments, visit) as ts.NodeArray<ts.Expression>,
      );
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword)
      return factory.createObjectLiteralExpression([
        factory.createPropertyAssignment('url', factory.createStringLiteral(pathToFileURL(file.fileName).href)),
        factory.createPropertyAssignment('dirname', name('__dirname')),
        factory.createPropertyAssignment('filename', name('__filename')),
      ]);
    return ts.visitEachChild(node, visit, transformation);
  };
  return ts.visitNode(file, visit) as ts.SourceFile;
};
