// tslab's compiler of cells, with its faults mended: texts of the pinned version are replaced while it is loaded.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type TypeScript from 'typescript';
import { KitError } from '../../../base/errors';
import { packageRoot, setupCommandLine } from '../../../base/home';
import { newModule } from './node-module';

/** The version whose texts are replaced; package.json pins it. */
export const TSLAB_VERSION = '1.0.22';

/** What the compiler refuses in a cell. Lines and characters count from 0. */
export interface Diagnostic {
  start: { offset: number; line: number; character: number };
  end: { offset: number; line: number; character: number };
  messageText: string;
  /** TypeScript's number of the message, for example 2322. */
  code: number;
  /** Set when it is not the cell but a file that the cell imports. */
  fileName?: string;
}

/** A cell made JavaScript. */
export interface Converted {
  diagnostics: Diagnostic[];
  /** The JavaScript, a CommonJS module's body; undefined when there is nothing to run. */
  output?: string;
  /** The declarations that later cells see. */
  declOutput?: string;
  /** Whether it is to be run as an async function. */
  hasToplevelAwait?: boolean;
  /** Name under which the value of a last expression is exported. */
  lastExpressionVar?: string;
  /** Modules beside the notebook that the cell imports. */
  sideOutputs?: { path: string; data: string }[];
}

/** tslab's incremental compiler: one per kernel, for the folder that it works in. */
export interface Converter {
  convert(previousDeclarations: string, source: string): Converted;
  inspect(previousDeclarations: string, source: string, position: number): TypeScript.QuickInfo | undefined;
  complete(
    previousDeclarations: string,
    source: string,
    position: number,
  ): { start: number; end: number; candidates: string[]; original?: TypeScript.CompletionInfo };
  addModule(name: string, source: string, metadata: object): Diagnostic[];
  close(): void;
}

const TRANSFORMS = JSON.stringify(path.join(__dirname, 'transforms.js'));

/** Each replaces a text that must occur exactly once. */
const REPLACEMENTS: readonly [what: string, found: string, replaced: string][] = [
  [
    'an object that is written {a} with the a of an earlier cell',
    'if (!ts.isIdentifier(node)) {\n                return ts.visitEachChild(node, wrapPrevIdentifier, nullTransformationContext);',
    `if (ts.isShorthandPropertyAssignment(node)) return kit.expandShorthand(ts, checker, declsFile, node, wrapPrevIdentifier);
            if (!ts.isIdentifier(node)) {
                return ts.visitEachChild(node, wrapPrevIdentifier, nullTransformationContext);`,
  ],
  [
    'a function that goes on seeing the old value of a variable which a later cell has changed',
    'node = ts.visitEachChild(node, wrapPrevIdentifier, nullTransformationContext);\n                for (',
    'node = kit.bindVariables(ts, ts.visitEachChild(node, wrapPrevIdentifier, nullTransformationContext));\n                for (',
  ],
  [
    '`for await` outside a function',
    'hasToplevelAwait: diag.hasToplevelAwait,\n            sideOutputs',
    'hasToplevelAwait: diag.hasToplevelAwait || kit.loopsOverPromises(ts, srcFile),\n            sideOutputs',
  ],
  // Of the packages of types only Node's: all others that happen to be installed cost half a second at the start.
  [
    'positions in errors',
    'declaration: true,\n',
    'declaration: true,\n        inlineSourceMap: true,\n        types: ["node"],\n',
  ],
  [
    'positions in errors (second step)',
    'output: esModuleToCommonJSModule(output, transpileTarget)',
    'output: kit.toCommonJs(ts, output, transpileTarget)',
  ],
  [
    "'rifle-kit' where it is not installed beside the notebook",
    'function forwardTslabPath(cwd, path) {',
    `function forwardTslabPath(cwd, path) {
    const kitPath = kit.insideKit(cwd, path);
    if (kitPath !== null) return kitPath;`,
  ],
  [
    'a watch on every file of every package',
    'const watcher = ts.sys.watchFile(path, cb, pollingInterval);',
    'const watcher = path.includes("/node_modules/") ? { close() {} } : ts.sys.watchFile(path, cb, pollingInterval);',
  ],
  [
    '(what the others call)',
    'const util_1 = require("./util");',
    `const util_1 = require("./util");\nconst kit = require(${TRANSFORMS});`,
  ],
];

/** The folder of the pinned tslab. */
export function tslabFolder(): string {
  return path.dirname(createRequire(path.join(packageRoot(), 'package.json')).resolve('tslab/package.json'));
}

/** The TypeScript that tslab brings. */
export const typescript = (): typeof TypeScript =>
  createRequire(path.join(tslabFolder(), 'package.json'))('@tslab/typescript-for-tslab') as typeof TypeScript;

/** What is used of tslab's file. */
interface Tslab {
  createConverter(options: { isJS: boolean; isBrowser: boolean }): Converter;
  isCompleteCode(code: string): { completed: boolean; indent?: string };
}

let loaded: Tslab | undefined;

/**
 * tslab's compiler, mended; whatever else of tslab asks for it gets this one.
 * @throws KitError when the tslab that is installed is not the one whose texts are known.
 */
export function tslab(): Tslab {
  if (loaded !== undefined) return loaded;
  const file = path.join(tslabFolder(), 'dist', 'converter.js');
  const { version } = JSON.parse(fs.readFileSync(path.join(tslabFolder(), 'package.json'), 'utf8')) as {
    version: string;
  };
  let text = fs.readFileSync(file, 'utf8');
  for (const [what, found, replaced] of REPLACEMENTS) {
    if (text.split(found).length !== 2) {
      throw new KitError(
        `tslab ${version} is installed; the kernel mends tslab ${TSLAB_VERSION} and does not find in it the place of: ${what}.`,
        { fix: `Run \`${setupCommandLine()}\`.` },
      );
    }
    text = text.replace(found, () => replaced);
  }
  const module = newModule(file, path.dirname(file));
  module._compile(text, file);
  require.cache[file] = module;
  loaded = module.exports as Tslab;
  return loaded;
}

/** A compiler for the process's working folder. */
export const createConverter = (): Converter => tslab().createConverter({ isJS: false, isBrowser: false });
