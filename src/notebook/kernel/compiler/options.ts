// How cells are compiled: the library types that the running Node has, and what a tsconfig.json near the notebook sets.
import ts from 'typescript';
import { packageRoot } from '../../../base/home';
import path from 'node:path';
import { tslabFolder } from '../modules/tslab';

/** Library types newer than es2023, each with whether the running Node has what they describe. */
const NEWER_LIBRARIES: readonly [library: string, isThere: () => boolean][] = [
  ['es2024.arraybuffer', () => 'transfer' in ArrayBuffer.prototype],
  ['es2024.collection', () => 'groupBy' in Map],
  ['es2024.object', () => 'groupBy' in Object],
  ['es2024.promise', () => 'withResolvers' in Promise],
  ['es2024.regexp', () => true],
  ['es2024.sharedmemory', () => 'waitAsync' in Atomics],
  ['es2024.string', () => 'isWellFormed' in String.prototype],
  ['esnext.array', () => 'fromAsync' in Array],
  ['esnext.collection', () => 'union' in Set.prototype],
  ['esnext.decorators', () => true],
  ['esnext.disposable', () => 'dispose' in Symbol],
  ['esnext.error', () => 'isError' in Error],
  ['esnext.float16', () => 'f16round' in Math],
  ['esnext.iterator', () => 'Iterator' in globalThis],
  ['esnext.promise', () => 'try' in Promise],
];

/** The options of a tsconfig.json that count for cells. */
const TAKEN = ['baseUrl', 'emitDecoratorMetadata', 'experimentalDecorators', 'jsx', 'jsxFactory', 'paths'] as const;

/**
 * The compiler's options for notebooks in `folder`. Cells are checked with `strictNullChecks` and `noImplicitAny`,
 * unless the nearest tsconfig.json sets `"strict": false`.
 */
export function cellOptions(folder: string): ts.CompilerOptions {
  const configured = nearestConfig(folder);
  const isStrict = configured.strict !== false;
  const taken = Object.fromEntries(TAKEN.flatMap((name) => (name in configured ? [[name, configured[name]]] : [])));
  return {
    target: ts.ScriptTarget.ES2022,
    lib: ['es2023', ...NEWER_LIBRARIES.flatMap(([name, isThere]) => (isThere() ? [name] : []))].map(
      (name) => `lib.${name}.d.ts`,
    ),
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    moduleDetection: ts.ModuleDetectionKind.Force,
    esModuleInterop: true,
    resolveJsonModule: true,
    allowJs: true,
    jsx: ts.JsxEmit.React,
    strictNullChecks: isStrict,
    noImplicitAny: isStrict,
    useUnknownInCatchVariables: false,
    preserveConstEnums: true,
    skipLibCheck: true,
    // Of the packages of types only Node's: all others that happen to be installed cost half a second at the start.
    types: ['node'],
    typeRoots: typeRoots(folder),
    declaration: true,
    sourceMap: true,
    newLine: ts.NewLineKind.LineFeed,
    outDir: '/rifle-cells',
    ...taken,
  };
}

/** The options of the nearest tsconfig.json of the folder or above it; none when there is none that can be read. */
function nearestConfig(folder: string): ts.CompilerOptions {
  const file = ts.findConfigFile(folder, ts.sys.fileExists);
  if (file === undefined) return {};
  const { config } = ts.readConfigFile(file, ts.sys.readFile) as { config?: object };
  // No files are listed: only the options are read.
  const host = { ...ts.sys, readDirectory: () => [] };
  return ts.parseJsonConfigFileContent(config ?? {}, host, path.dirname(file)).options;
}

/** The folders `@types` of the notebook's folder and above, then those of the kit. */
function typeRoots(folder: string): string[] {
  const roots: string[] = [];
  for (let at = folder; ; at = path.dirname(at)) {
    roots.push(path.join(at, 'node_modules', '@types'));
    if (path.dirname(at) === at) break;
  }
  roots.push(path.join(packageRoot(), 'node_modules', '@types'), path.join(tslabFolder(), 'node_modules', '@types'));
  return roots.filter((root) => ts.sys.directoryExists(root));
}
