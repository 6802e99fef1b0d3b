// The compiler of cells, on the kit's TypeScript: a cell becomes JavaScript that shares its variables with other cells,
// and declarations that later cells are checked with.
import ts from 'typescript';
import { Declarations, declarationsOf, type Declaration } from './declarations';
import { NotebookProgram, type CellProgram } from './program';
import { prepareSource, varsInside } from './source';
import { cellTransformer, type CellImport } from './transforms';

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
export interface CompiledCell {
  /** The body of a function. */
  code: string;
  /** The source map of the body, as JSON. */
  map: string;
  /** Whether it is the body of an async function. */
  isAsync: boolean;
  imports: CellImport[];
  declared: Declaration[];
}

/** Cannot find module. */
const NOT_FOUND = 2307;

/** Messages that do not count in a cell: a package without types is `any`. */
const IGNORED = new Set([7016]);

/** Messages about types that do not count in a file beside the notebook. */
const IMPLICIT_ANY = /^70\d\d$/;

/** The compiler of one notebook: each cell is checked with what earlier ones declared. */
export class Converter {
  readonly declarations = new Declarations();
  readonly program: NotebookProgram;
  /** The state of the imported files that were checked last. */
  private checked = '';

  constructor(folder: string) {
    this.program = new NotebookProgram(folder);
  }

  /** Compiles a cell; nothing is declared until it has run. */
  convert(source: string): CompiledCell | Diagnostic[] {
    const { text, ambient, isAsync } = prepareSource(source);
    const state = this.program.with(this.declarations.text, text);
    const diagnostics = this.check(state, source.length);
    if (diagnostics.length > 0) return diagnostics;
    const imports: CellImport[] = [];
    const isGlobal = (name: string): boolean => this.declarations.isAmbient(name);
    const before = [cellTransformer({ ...state, isGlobal, ambient, imports })];
    const outputs = emit(state, { before });
    return {
      code: outputs.js.replace(/\/\/# sourceMappingURL=.*\s*$/, ''),
      map: outputs.map,
      isAsync,
      imports,
      declared: [...declarationsOf(outputs.declarations, ambient), ...declarationsInBlocks(state)],
    };
  }

  /** Makes `source` a module that cells import as `./name`. */
  addModule(name: string, source: string): Diagnostic[] {
    const file = this.program.setModule(name, source);
    const { program } = this.program.with(this.declarations.text, '');
    return problemsOf(program, program.getSourceFile(file)!).map((each) => ({
      ...diagnosticOf(each),
      fileName: undefined,
    }));
  }

  /** What the cell is refused for: first its own mistakes, then those of the files that it imports. */
  private check({ program, cell }: CellProgram, length: number): Diagnostic[] {
    const problems = problemsOf(program, cell);
    this.program.noteUnresolved(problems.some(({ code }) => code === NOT_FOUND) ? [cell.fileName] : []);
    const own = problems
      .filter(({ code, start = 0 }) => !IGNORED.has(code) && (start < length || isSyntax(code)))
      .map((each) => diagnosticOf(each, length));
    if (own.length > 0) return own;
    const files = program
      .getSourceFiles()
      .filter((file) => file !== cell && !file.isDeclarationFile && !program.isSourceFileFromExternalLibrary(file));
    const versions = files.map((file) => `${file.fileName} ${(file as { version?: string }).version}`).join('\n');
    if (versions === this.checked) return [];
    const theirs = files
      .filter((file) => /\.[cm]?tsx?$/.test(file.fileName))
      .flatMap((file) => problemsOf(program, file));
    const missing = theirs.filter(({ code }) => code === NOT_FOUND);
    this.program.noteUnresolved(missing.map(({ file }) => file!.fileName));
    const found = theirs.filter(({ code }) => !IMPLICIT_ANY.test(String(code))).map((each) => diagnosticOf(each));
    if (found.length === 0) this.checked = versions;
    return found;
  }
}

/** Whether a message is about the form of the text, not about names and types. */
const isSyntax = (code: number): boolean => code < 2000;

/** A file's mistakes; those of form first, as the others may follow from them. */
function problemsOf(program: ts.Program, file: ts.SourceFile): readonly ts.Diagnostic[] {
  const syntactic = program.getSyntacticDiagnostics(file);
  return syntactic.length > 0 ? syntactic : program.getSemanticDiagnostics(file);
}

/** @param length of the cell; positions behind it are those of a line that is added. */
function diagnosticOf(
  { file, start = 0, length: size = 0, messageText, code }: ts.Diagnostic,
  length = Infinity,
): Diagnostic {
  const at = (offset: number): Diagnostic['start'] => {
    const within = Math.min(offset, length);
    return { offset: within, ...ts.getLineAndCharacterOfPosition(file!, within) };
  };
  return {
    start: at(start),
    end: at(start + size),
    messageText: ts.flattenDiagnosticMessageText(messageText, '\n'),
    code,
    ...(length === Infinity && { fileName: file!.fileName }),
  };
}

/** The declarations of each `var` in a block, which TypeScript leaves out of a `.d.ts` file. */
function declarationsInBlocks({ checker, cell }: CellProgram): Declaration[] {
  const { locals } = cell as unknown as { locals: Map<string, ts.Symbol> };
  const names = cell.statements.flatMap((each) => (ts.isVariableStatement(each) ? [] : varsInside(each)));
  return [...new Set(names)].flatMap((name): Declaration[] => {
    const symbol = locals.get(name);
    if (symbol === undefined) return [];
    const type = checker.typeToString(checker.getTypeOfSymbol(symbol), cell, ts.TypeFormatFlags.NoTruncation);
    return [{ name, meaning: 'value', text: `declare let ${name}: ${type};`, isAmbient: false }];
  });
}

/** The outputs of a cell. Its declarations are made also where TypeScript would rather have them written by hand. */
function emit(
  { program, cell }: CellProgram,
  transformers: ts.CustomTransformers,
): { js: string; map: string; declarations: string } {
  const outputs = { js: '', map: '{}', declarations: '' };
  const write: ts.WriteFileCallback = (name, text) => {
    if (name.endsWith('.d.ts')) outputs.declarations = text;
    else if (name.endsWith('.map')) outputs.map = text;
    else outputs.js = text;
  };
  type Emit = (...values: [...Parameters<ts.Program['emit']>, forceDeclarations: boolean]) => void;
  (program.emit as Emit)(cell, write, undefined, undefined, transformers, true);
  return outputs;
}

/** The version of TypeScript that cells are written in. */
export const typescriptVersion = ts.version;
