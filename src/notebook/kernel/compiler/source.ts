// What a cell's source says before it is compiled: what it declares, and what it awaits.
import ts from 'typescript';

/** A cell made ready for the compiler; positions are those of the source. */
export interface PreparedSource {
  /** The source with blanks for `export`, and a last line that exports everything, so that all is declared. */
  text: string;
  /** Names declared with `declare`: the values are not the cell's own. */
  ambient: Set<string>;
  /** Whether the cell is to be run as an async function. */
  isAsync: boolean;
}

/** Reads a cell. */
export function prepareSource(source: string): PreparedSource {
  const file = parseModule(source);
  const names = new Set<string>();
  const ambient = new Set<string>();
  const blanks: [start: number, end: number, text: string][] = [];
  const blank = (node: ts.Node): void => void blanks.push([node.getStart(file), node.getEnd(), '']);
  for (const statement of file.statements) {
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    const declared = declaredNames(statement);
    for (const name of declared) names.add(name);
    if (modifiers.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword))
      for (const name of declared) ambient.add(name);
    // A cell has no importers: what it exports it declares.
    const isNamed = declared.length > 0;
    for (const modifier of modifiers) {
      const isExport = modifier.kind === ts.SyntaxKind.ExportKeyword;
      if (isNamed && (isExport || modifier.kind === ts.SyntaxKind.DefaultKeyword)) blank(modifier);
    }
    if (ts.isExportAssignment(statement) && !statement.isExportEquals)
      blanks.push([statement.getStart(file), statement.expression.getStart(file), '']);
    if (ts.isExportDeclaration(statement)) {
      const { exportClause: clause } = statement;
      // `export { a } from 'm'` makes a known here as an import does; both words have six letters.
      if (statement.moduleSpecifier === undefined || clause === undefined) blank(statement);
      else blanks.push([statement.getStart(file), statement.getStart(file) + 6, 'import']);
    }
  }
  let text = source;
  for (const [start, end, word] of blanks.reverse())
    text = text.slice(0, start) + (word || text.slice(start, end).replace(/[^\n\r]/g, ' ')) + text.slice(end);
  for (const name of declaredByExports(file)) names.add(name);
  return { text: `${text}\nexport { ${[...names].join(', ')} };`, ambient, isAsync: awaits(file) };
}

/** The tree of a cell. It is a module also without an import, so that `await (f())` calls no function `await`. */
function parseModule(source: string): ts.SourceFile {
  const setExternalModuleIndicator = (file: ts.SourceFile): void =>
    void Object.assign(file, { externalModuleIndicator: true });
  const options = { languageVersion: ts.ScriptTarget.Latest, setExternalModuleIndicator };
  return ts.createSourceFile('cell.ts', source, options, true);
}

/** The names that a statement declares for later cells. */
export function declaredNames(statement: ts.Statement): string[] {
  if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement))
    return statement.name ? [statement.name.text] : [];
  if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement) || ts.isEnumDeclaration(statement))
    return [statement.name.text];
  if (ts.isModuleDeclaration(statement)) {
    const isGlobal = (statement.flags & ts.NodeFlags.GlobalAugmentation) !== 0;
    return ts.isIdentifier(statement.name) && !isGlobal ? [statement.name.text] : [];
  }
  if (ts.isImportEqualsDeclaration(statement)) return [statement.name.text];
  if (ts.isImportDeclaration(statement)) return importedNames(statement.importClause);
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap(({ name }) => boundNames(name));
  return varsInside(statement);
}

function importedNames(clause: ts.ImportClause | undefined): string[] {
  const bindings = clause?.namedBindings;
  const named = bindings === undefined ? [] : ts.isNamespaceImport(bindings) ? [bindings] : [...bindings.elements];
  return [...(clause?.name ? [clause.name] : []), ...named.map(({ name }) => name)].map(({ text }) => text);
}

/** The names that `export { a } from` and `export * as a from` make known when they are read as imports. */
function declaredByExports(file: ts.SourceFile): string[] {
  return file.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || !statement.moduleSpecifier || !statement.exportClause) return [];
    const { exportClause: clause } = statement;
    return ts.isNamespaceExport(clause) ? [clause.name.text] : clause.elements.map(({ name }) => name.text);
  });
}

/** The names of a pattern. */
export function boundNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundNames(element.name) : []));
}

/** The names of each `var` in the blocks and loops of a statement; they are the cell's own all the same. */
export function varsInside(node: ts.Node): string[] {
  if (ts.isFunctionLike(node) || ts.isClassLike(node) || ts.isModuleDeclaration(node)) return [];
  const own =
    ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.BlockScoped) === 0
      ? node.declarations.flatMap(({ name }) => boundNames(name))
      : [];
  const found = [...own];
  ts.forEachChild(node, (child) => void found.push(...varsInside(child)));
  return found;
}

/** Whether something is awaited outside any function. */
function awaits(node: ts.Node): boolean {
  if (ts.isFunctionLike(node) || ts.isClassStaticBlockDeclaration(node)) return false;
  if (ts.isAwaitExpression(node)) return true;
  if (ts.isForOfStatement(node) && node.awaitModifier !== undefined) return true;
  if (ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.AwaitUsing) === ts.NodeFlags.AwaitUsing)
    return true;
  return ts.forEachChild(node, (child) => awaits(child) || undefined) ?? false;
}
