// Where and why a cell failed, from what stock tslab prints: it sends no `error` message, only text on stderr.
import { createRequire, SourceMap } from 'node:module';
import type TypeScript from 'typescript';

/** The place and the reason of a cell's failure. */
export interface CellFailure {
  /** Class of the error, for example `TypeError`; `TypeScript` for what the compiler refuses. */
  name: string;
  /** The error's message, without its stack. */
  message: string;
  /** 1-based line of the cell's source; `null` when it cannot be told. */
  line: number | null;
  /** The stack inside the cell and below it, without the kernel's own frames. */
  traceback: string;
}

const CELL_FRAME = /evalmachine\.<anonymous>:(\d+):(\d+)/;
const KERNEL_FRAME = /node_modules[\\/]tslab[\\/]|\(node:vm:|node:internal\/|sigintHandlersWrap/;
/** What the compiler refuses: `line:column - message`. */
const DIAGNOSTIC = /^(\d+):\d+ - /;
const FRAME = /^\s+at /;
/** How an error's text begins, for example `TypeError: ` or `Error [ERR_X]: `. */
const HEADLINE = /^(?:Uncaught )?((?:[A-Z]\w*)?(?:Error|Exception))(?: \[\w+\])?: (.*)$/;
/** The first line of what node sets before a stack that it could decorate: place, source, caret, blank line. */
const DECORATION = /^(?:evalmachine\.<anonymous>|<anonymous_script>|\S*[\\/]\S*):\d+$/;

/** What `stderr` says of the failure of the cell `source`. */
export function explainFailure(source: string, stderr: string): CellFailure {
  const lines = stderr.trimEnd().split('\n');
  const diagnostics = lines.filter((line) => DIAGNOSTIC.test(line));
  if (diagnostics.length > 0) {
    const message = diagnostics.map((line) => line.replace(DIAGNOSTIC, '')).join('\n');
    return { name: 'TypeScript', message, line: Number(DIAGNOSTIC.exec(diagnostics[0])![1]), traceback: '' };
  }
  const first = lines.findIndex((line) => FRAME.test(line));
  const stack: string[] = [];
  for (let i = first; i >= 0 && i < lines.length && FRAME.test(lines[i]); i++) stack.push(lines[i]);
  const { name, message } = headOf(first < 0 ? lines : lines.slice(0, first));
  const properties = first < 0 ? [] : propertiesIn(lines.slice(first + stack.length));
  return {
    name,
    message: [message, ...properties].join('\n'),
    line: locate(source, stack),
    traceback: stack.filter((line) => !KERNEL_FRAME.test(line)).join('\n'),
  };
}

/** Class and message of the error in the lines before its stack; what the cell itself wrote to stderr may stand before it. */
function headOf(lines: readonly string[]): { name: string; message: string } {
  for (let i = lines.length - 1; i >= 0; i--) {
    const headline = HEADLINE.exec(lines[i]);
    if (headline) return { name: headline[1], message: [headline[2], ...lines.slice(i + 1)].join('\n').trim() };
  }
  const from = DECORATION.test(lines[0]) ? lines.indexOf('', 1) + 1 : 0;
  return { name: 'Error', message: lines.slice(from).join('\n').trim() || 'The cell failed and printed no reason.' };
}

/** What helps among the properties that node prints after a stack: the `fix` of a KitError, and the cause. */
function propertiesIn(lines: readonly string[]): string[] {
  const end = lines.findIndex((line) => /^\S/.test(line) && line !== '}');
  const own = end < 0 ? lines : lines.slice(0, end);
  const [fix] = own.flatMap((line) => /^  fix: (['"`])(.+)\1,?$/.exec(line)?.[2].replace(/\\(['"`\\])/g, '$1') ?? []);
  const [cause] = own.flatMap((line) => /^  \[cause\]: (.+)$/.exec(line)?.[1] ?? []);
  return [...(fix ? [fix] : []), ...(cause ? [`Cause: ${cause}`] : [])];
}

/** The line of the cell's own top level in a stack: its outermost frame, mapped back from the JavaScript that tslab made of the cell. */
function locate(source: string, stack: readonly string[]): number | null {
  const positions: { line: number; column: number }[] = [];
  for (const frame of stack) {
    const match = CELL_FRAME.exec(frame);
    if (match) positions.push({ line: Number(match[1]), column: Number(match[2]) });
  }
  const outermost = positions.at(-1);
  if (!outermost) return null;
  const { originOf, lines } = compiled(source);
  // tslab calls a cell as a function, two lines below its last: that frame tells by how much our compilation differs from its own.
  const call = lines + 2;
  const beforeCall = positions.at(-2);
  if (beforeCall && outermost.column === 3 && outermost.line > lines) return originOf(beforeCall.line - (outermost.line - call), beforeCall.column);
  return originOf(outermost.line, outermost.column);
}

interface Mapped {
  text: string;
  map: SourceMap;
}

/** The cell compiled in tslab's two steps, with the way back. */
function compiled(source: string): { lines: number; originOf: (line: number, column: number) => number | null } {
  const ts = createRequire(require.resolve('tslab/package.json'))('@tslab/typescript-for-tslab') as typeof TypeScript;
  const transpile = (text: string, fileName: string, module: TypeScript.ModuleKind): Mapped => {
    const { outputText, sourceMapText } = ts.transpileModule(text, {
      fileName,
      compilerOptions: {
        module,
        target: ts.ScriptTarget.ES2022,
        esModuleInterop: true,
        newLine: ts.NewLineKind.LineFeed,
        noImplicitUseStrict: true,
        sourceMap: true,
      },
    });
    const clean = outputText.replace(/\/\/# sourceMappingURL=.*\n?$/, '');
    return { text: clean, map: new SourceMap(JSON.parse(sourceMapText ?? '{}') as ConstructorParameters<typeof SourceMap>[0]) };
  };
  const file = ts.createSourceFile('cell.ts', source, ts.ScriptTarget.ES2022);
  const names = declaredNames(ts, file);
  const typescript = `export {};\n${source}${names.length > 0 ? `\nexport {${names.join(', ')}}` : ''}`;
  const esm = transpile(typescript, 'cell.ts', ts.ModuleKind.ESNext);
  const cjs = transpile(esm.text, 'cell.js', ts.ModuleKind.CommonJS);
  const total = source.split('\n').length;
  return {
    lines: cjs.text.split('\n').length - (cjs.text.endsWith('\n') ? 1 : 0),
    originOf(line, column) {
      const inEsm = cjs.map.findEntry(line - 1, column - 1) as { originalLine?: number; originalColumn?: number };
      if (inEsm.originalLine === undefined) return null;
      const inCell = esm.map.findEntry(inEsm.originalLine, inEsm.originalColumn ?? 0) as { originalLine?: number };
      const found = inCell.originalLine; // line 0 is the `export {}` before the cell
      return found === undefined || found < 1 || found > total ? null : found;
    },
  };
}

/** Names that the top level of a cell declares; tslab exports them all. */
function declaredNames(ts: typeof TypeScript, file: TypeScript.SourceFile): string[] {
  const names = new Set<string>();
  const bind = (name: TypeScript.BindingName): void => {
    if (ts.isIdentifier(name)) names.add(name.text);
    else for (const element of name.elements) if (ts.isBindingElement(element)) bind(element.name);
  };
  for (const statement of file.statements) {
    if (ts.isVariableStatement(statement)) for (const { name } of statement.declarationList.declarations) bind(name);
    else if ((ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement) || ts.isEnumDeclaration(statement)) && statement.name) names.add(statement.name.text);
    else if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) names.add(statement.name.text);
    else if (ts.isImportDeclaration(statement) && statement.importClause) {
      const { name, namedBindings } = statement.importClause;
      if (name) names.add(name.text);
      if (namedBindings && ts.isNamespaceImport(namedBindings)) names.add(namedBindings.name.text);
      if (namedBindings && ts.isNamedImports(namedBindings)) for (const element of namedBindings.elements) names.add(element.name.text);
    }
  }
  return [...names];
}
