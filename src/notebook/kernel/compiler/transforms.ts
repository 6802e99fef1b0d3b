// The JavaScript of a cell: names of earlier cells and imports are read from the shared scope, and what the cell
// declares is offered there.
import ts from 'typescript';
import type { CellProgram } from './program';
import { declaredNames } from './source';

/** The object by which a cell's JavaScript reaches the kernel; see `CellRuntime`. */
export const RUNTIME = '__rifle';

/** A module that a cell imports. */
export interface CellImport {
  specifier: string;
  /** 1-based line of the import. */
  line: number;
  /** The names in the cell, each with the module's: `*` for the whole module, `=` for its `module.exports`. */
  names: [local: string, exported: string][];
}

/** What a cell is compiled with. */
export interface CellContext extends CellProgram {
  /** Whether the value of a name of an earlier cell is a global's. */
  isGlobal(name: string): boolean;
  /** The names that this cell only declares. */
  ambient: ReadonlySet<string>;
  /** Receives the cell's imports of values. */
  imports: CellImport[];
}

/** The change of a cell's tree before TypeScript makes JavaScript of it. */
export function cellTransformer(context: CellContext): ts.TransformerFactory<ts.SourceFile> {
  return (transformation) => (file) => {
    if (file !== context.cell) return file;
    const { factory } = ts;
    const visit = references(context, transformation);
    const statements: ts.Statement[] = [];
    const { statements: all } = file;
    const last = lastStatement(all);
    for (const statement of all) {
      if (ts.isImportDeclaration(statement)) collectImport(context, statement);
      else if (ts.isImportEqualsDeclaration(statement)) statements.push(...importEquals(context, statement, visit));
      else if (ts.isExportDeclaration(statement)) continue;
      else if (statement === last && ts.isExpressionStatement(statement)) {
        const value = ts.visitNode(statement.expression, visit) as ts.Expression;
        statements.push(ts.setTextRange(factory.createReturnStatement(value), statement));
      } else if (ts.isFunctionDeclaration(statement) && statement.name && statement.body) {
        // A function is there before the first statement.
        statements.unshift(offerValue(statement.name.text));
        statements.push(ts.visitNode(statement, visit) as ts.Statement);
      } else {
        statements.push(ts.visitNode(statement, visit) as ts.Statement, ...offers(context, statement));
      }
    }
    return factory.updateSourceFile(file, statements);
  };
}

/** The last statement that does something. */
function lastStatement(statements: readonly ts.Statement[]): ts.Statement | undefined {
  return [...statements]
    .reverse()
    .find(
      (statement) =>
        !ts.isExportDeclaration(statement) &&
        !ts.isEmptyStatement(statement) &&
        !ts.isInterfaceDeclaration(statement) &&
        !ts.isTypeAliasDeclaration(statement),
    );
}

const runtime = (name: string): ts.PropertyAccessExpression =>
  ts.factory.createPropertyAccessExpression(ts.factory.createIdentifier(RUNTIME), name);
/** A name of the shared scope. */
const shared = (name: string): ts.PropertyAccessExpression =>
  ts.factory.createPropertyAccessExpression(runtime('scope'), name);
const call = (name: string, values: ts.Expression[]): ts.Statement =>
  ts.factory.createExpressionStatement(ts.factory.createCallExpression(runtime(name), undefined, values));

/** `__rifle.offer("f", f);`: later cells have the value. */
function offerValue(name: string): ts.Statement {
  return call('offer', [ts.factory.createStringLiteral(name), ts.factory.createIdentifier(name)]);
}

/** `__rifle.share("n", () => n, (v) => n = v);`: later cells have the variable itself, as the cell's functions do. */
function shareVariable(name: string): ts.Statement {
  const { factory } = ts;
  const arrow = (parameters: string[], body: ts.Expression): ts.Expression =>
    factory.createArrowFunction(
      undefined,
      undefined,
      parameters.map((parameter) => factory.createParameterDeclaration(undefined, undefined, parameter)),
      undefined,
      undefined,
      body,
    );
  const value = name === 'v' ? 'w' : 'v';
  const assignment = factory.createAssignment(factory.createIdentifier(name), factory.createIdentifier(value));
  return call('share', [
    factory.createStringLiteral(name),
    arrow([], factory.createIdentifier(name)),
    arrow([value], factory.createParenthesizedExpression(assignment)),
  ]);
}

/** What follows a statement: each value that it declares is offered to later cells. */
function offers({ checker, ambient }: CellContext, statement: ts.Statement): ts.Statement[] {
  const names = declaredNames(statement).filter((name) => !ambient.has(name));
  if (ts.isVariableStatement(statement)) {
    const isVariable = (statement.declarationList.flags & ts.NodeFlags.Const) === 0;
    return names.map(isVariable ? shareVariable : offerValue);
  }
  if (ts.isClassDeclaration(statement) || ts.isEnumDeclaration(statement)) return names.map(offerValue);
  if (ts.isModuleDeclaration(statement)) {
    const flags = checker.getSymbolAtLocation(statement.name)?.flags ?? 0;
    return (flags & ts.SymbolFlags.ValueModule) === 0 ? [] : names.map(offerValue);
  }
  if (
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isFunctionDeclaration(statement)
  )
    return [];
  return names.map(shareVariable); // each `var` in a block
}

/** Notes the values that an import declares; types leave no trace in JavaScript. */
function collectImport({ checker, cell, imports }: CellContext, statement: ts.ImportDeclaration): void {
  const { importClause: clause, moduleSpecifier } = statement;
  if (clause?.isTypeOnly) return;
  const names: [string, string][] = [];
  const add = (name: ts.Identifier, exported: string): void => {
    if (isValue(checker, name)) names.push([name.text, exported]);
  };
  if (clause?.name) add(clause.name, 'default');
  const bindings = clause?.namedBindings;
  if (bindings && ts.isNamespaceImport(bindings)) names.push([bindings.name.text, '*']);
  else if (bindings)
    for (const each of bindings.elements) if (!each.isTypeOnly) add(each.name, (each.propertyName ?? each.name).text);
  if (clause !== undefined && names.length === 0) return;
  const { line } = cell.getLineAndCharacterOfPosition(statement.getStart(cell));
  imports.push({ specifier: (moduleSpecifier as ts.StringLiteral).text, line: line + 1, names });
}

/** Whether an imported name stands for a value; a name that the compiler does not know may be one. */
function isValue(checker: ts.TypeChecker, name: ts.Identifier): boolean {
  const symbol = checker.getSymbolAtLocation(name);
  if (symbol === undefined || (symbol.flags & ts.SymbolFlags.Alias) === 0) return true;
  const target = checker.getAliasedSymbol(symbol);
  return (target.flags & ts.SymbolFlags.Value) !== 0 || target.escapedName === 'unknown';
}

/** `import a = require('m')` as an import, `import a = N.b` as a constant. */
function importEquals(
  { checker, cell, imports }: CellContext,
  statement: ts.ImportEqualsDeclaration,
  visit: ts.Visitor,
): ts.Statement[] {
  const { moduleReference: reference, name } = statement;
  if (statement.isTypeOnly || !isValue(checker, name)) return [];
  if (ts.isExternalModuleReference(reference)) {
    const { line } = cell.getLineAndCharacterOfPosition(statement.getStart(cell));
    imports.push({
      specifier: (reference.expression as ts.StringLiteral).text,
      line: line + 1,
      names: [[name.text, '=']],
    });
    return [];
  }
  const expressionOf = (entity: ts.EntityName): ts.Expression =>
    ts.isIdentifier(entity)
      ? (visit(entity) as ts.Expression)
      : ts.factory.createPropertyAccessExpression(expressionOf(entity.left), entity.right.text);
  const constant = ts.factory.createVariableDeclaration(name.text, undefined, undefined, expressionOf(reference));
  const list = ts.factory.createVariableDeclarationList([constant], ts.NodeFlags.Const);
  return [ts.factory.createVariableStatement(undefined, list), offerValue(name.text)];
}

/** The visitor that reads every name of an earlier cell, and every import, from the shared scope. */
function references(context: CellContext, transformation: ts.TransformationContext): ts.Visitor {
  const { factory } = ts;
  const visit = (node: ts.Node): ts.Node => {
    if (isErased(node)) return node;
    if (ts.isShorthandPropertyAssignment(node)) return shorthand(node);
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) return runtime('meta');
    if (ts.isCallExpression(node)) {
      if (node.expression.kind === ts.SyntaxKind.ImportKeyword)
        return factory.createCallExpression(
          runtime('import'),
          undefined,
          ts.visitNodes(node.arguments, visit) as ts.NodeArray<ts.Expression>,
        );
      const callee = sharedCallee(node.expression);
      if (callee !== null)
        return factory.updateCallExpression(
          node,
          callee,
          undefined,
          ts.visitNodes(node.arguments, visit) as ts.NodeArray<ts.Expression>,
        );
    }
    if (ts.isTaggedTemplateExpression(node)) {
      const tag = sharedCallee(node.tag);
      if (tag !== null)
        return factory.updateTaggedTemplateExpression(
          node,
          tag,
          undefined,
          ts.visitNode(node.template, visit) as ts.TemplateLiteral,
        );
    }
    if (ts.isIdentifier(node)) return isReference(node) && isShared(context, node) ? shared(node.text) : node;
    return ts.visitEachChild(node, visit, transformation);
  };

  /** `(0, scope.f)`: a function of another cell is called without a `this`. */
  const sharedCallee = (callee: ts.Expression): ts.Expression | null =>
    ts.isIdentifier(callee) && isShared(context, callee)
      ? factory.createParenthesizedExpression(factory.createComma(factory.createNumericLiteral(0), shared(callee.text)))
      : null;

  /** `{a}` as `{a: scope.a}`; also as the target of an assignment, `({a = 1} = value)`. */
  const shorthand = (node: ts.ShorthandPropertyAssignment): ts.Node => {
    const symbol = context.checker.getShorthandAssignmentValueSymbol(node);
    const byDefault =
      node.objectAssignmentInitializer && (ts.visitNode(node.objectAssignmentInitializer, visit) as ts.Expression);
    if (!isSharedSymbol(context, symbol, node.name.text))
      return factory.updateShorthandPropertyAssignment(node, node.name, byDefault);
    const value = shared(node.name.text);
    return factory.createPropertyAssignment(
      node.name.text,
      byDefault ? factory.createAssignment(value, byDefault) : value,
    );
  };
  return visit;
}

/** What leaves nothing in JavaScript. */
function isErased(node: ts.Node): boolean {
  if (ts.isExpressionWithTypeArguments(node))
    return ts.isHeritageClause(node.parent) && node.parent.token === ts.SyntaxKind.ImplementsKeyword;
  return ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
}

/** Whether an identifier is read or assigned, and is not the name of a property, a label or a declaration. */
function isReference(node: ts.Identifier): boolean {
  const parent = node.parent as ts.Node & { name?: ts.Node; propertyName?: ts.Node; label?: ts.Node };
  return parent.name !== node && parent.propertyName !== node && parent.label !== node;
}

const isShared = (context: CellContext, node: ts.Identifier): boolean =>
  isSharedSymbol(context, context.checker.getSymbolAtLocation(node), node.text);

/** Whether a symbol is a variable of an earlier cell, or an import. */
function isSharedSymbol(
  { earlier, cell, isGlobal }: CellContext,
  symbol: ts.Symbol | undefined,
  name: string,
): boolean {
  return (symbol?.declarations ?? []).some((declaration) => {
    const file = declaration.getSourceFile();
    if (file === cell) return isImport(declaration);
    return file === earlier && !isGlobal(name) && isTopLevel(declaration);
  });
}

const isImport = (node: ts.Declaration): boolean =>
  ts.isImportClause(node) ||
  ts.isNamespaceImport(node) ||
  ts.isImportSpecifier(node) ||
  (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference));

/** Whether a declaration of a `.d.ts` file is one of its own, and not of a namespace or of the global types. */
function isTopLevel(node: ts.Node): boolean {
  for (let at = node.parent; !ts.isSourceFile(at); at = at.parent) if (ts.isModuleBlock(at)) return false;
  return true;
}
