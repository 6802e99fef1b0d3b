// The changes that cells need on their way to JavaScript, called from within tslab's compiler (see converter.ts).
import fs from 'node:fs';
import path from 'node:path';
import type TypeScript from 'typescript';
import { packageRoot, studyFolder } from '../../../base/home';

type Ts = typeof TypeScript;

/** Name of the function by which a cell offers its variables to later ones: `(name, get, set)`. */
export const BIND = '__offerVariable';

const exported = ({ factory }: Ts, name: string): TypeScript.PropertyAccessExpression =>
  factory.createPropertyAccessExpression(factory.createIdentifier('exports'), factory.createIdentifier(name));

/**
 * `{a}` where `a` is a variable of an earlier cell, as `{a: exports.a}`; also as the target of an assignment, `({a = 1}
 * = value)`.
 * @param declarations the file that declares what earlier cells made.
 */
export function expandShorthand(
  ts: Ts,
  checker: TypeScript.TypeChecker,
  declarations: TypeScript.SourceFile,
  node: TypeScript.ShorthandPropertyAssignment,
  visit: TypeScript.Visitor,
): TypeScript.Node {
  const original = ts.getOriginalNode(node);
  const symbol = checker.getShorthandAssignmentValueSymbol(original);
  const isEarlier = symbol?.declarations?.some((declaration) => declaration.getSourceFile() === declarations) ?? false;
  if (!isEarlier)
    return ts.visitEachChild(node, (child) => (child === node.name ? child : visit(child)), NO_CONTEXT(ts));
  const { text } = node.name;
  const value = exported(ts, text);
  const byDefault = node.objectAssignmentInitializer;
  return ts.factory.createPropertyAssignment(
    text,
    byDefault ? ts.factory.createAssignment(value, ts.visitNode(byDefault, visit) as TypeScript.Expression) : value,
  );
}

const NO_CONTEXT = (ts: Ts): TypeScript.TransformationContext =>
  (
    ts as unknown as { getNullTransformationContext(): TypeScript.TransformationContext }
  ).getNullTransformationContext();

/**
 * Lets cells share their variables as the functions of one file would: after each `let` and `var` of the top level, a
 * call offers the
 * variable itself, not a copy of its value, to later cells.
 */
export function bindVariables(ts: Ts, file: TypeScript.SourceFile): TypeScript.SourceFile {
  const { factory } = ts;
  const statements = file.statements.flatMap((statement): TypeScript.Statement[] => {
    if (!ts.isVariableStatement(statement) || (statement.declarationList.flags & ts.NodeFlags.Const) !== 0)
      return [statement];
    return [
      statement,
      ...statement.declarationList.declarations.flatMap(({ name }) => namesIn(ts, name)).map((name) => offer(ts, name)),
    ];
  });
  return factory.updateSourceFile(file, statements);
}

/** `__offerVariable("n", () => n, (v) => n = v);` */
function offer(ts: Ts, name: string): TypeScript.Statement {
  const { factory } = ts;
  const arrow = (parameters: string[], body: TypeScript.Expression): TypeScript.Expression =>
    factory.createArrowFunction(
      undefined,
      undefined,
      parameters.map((parameter) => factory.createParameterDeclaration(undefined, undefined, parameter)),
      undefined,
      undefined,
      body,
    );
  const variable = factory.createIdentifier(name);
  const value = factory.createIdentifier(name === 'v' ? 'w' : 'v');
  const set = factory.createParenthesizedExpression(factory.createAssignment(variable, value));
  return factory.createExpressionStatement(
    factory.createCallExpression(factory.createIdentifier(BIND), undefined, [
      factory.createStringLiteral(name),
      arrow([], variable),
      arrow([value.text], set),
    ]),
  );
}

function namesIn(ts: Ts, name: TypeScript.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? namesIn(ts, element.name) : []));
}

/** Whether a file has a `for await` outside any function. */
export function loopsOverPromises(ts: Ts, file: TypeScript.SourceFile): boolean {
  const visit = (node: TypeScript.Node): boolean => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return false;
    if (ts.isForOfStatement(node) && node.awaitModifier !== undefined) return true;
    return ts.forEachChild(node, visit) ?? false;
  };
  return visit(file);
}

const MAP_COMMENT = /\n?\/\/# sourceMappingURL=data:application\/json;base64,(\S+)\s*$/;

/**
 * The raw maps of one cell's two steps, JavaScript back to ES module and ES module back to TypeScript, as the last
 * comment of its code.
 */
export function toCommonJs(ts: Ts, output: string | undefined, target: TypeScript.ScriptTarget): string | undefined {
  if (output === undefined) return undefined;
  const first = MAP_COMMENT.exec(output);
  const { outputText, sourceMapText } = ts.transpileModule(output.replace(MAP_COMMENT, '\n'), {
    fileName: 'cell.js',
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      esModuleInterop: true,
      target,
      newLine: ts.NewLineKind.LineFeed,
      noImplicitUseStrict: true,
      sourceMap: true,
    },
  });
  const maps = [sourceMapText ?? '{}', first === null ? '{}' : Buffer.from(first[1], 'base64').toString('utf8')];
  return `${outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, '')}\n//# rifle-maps=${Buffer.from(JSON.stringify(maps)).toString('base64')}`;
}

/**
 * Where a path below the `node_modules` of a folder really is when the kit is not installed for that folder: the kit of
 * the kernel, and the
 * packages that it is made of, seem to be installed there. `null` for any other path.
 */
export function insideKit(folder: string, file: string): string | null {
  const inside = path.relative(path.join(folder, 'node_modules'), file);
  if (inside === '' || inside.startsWith('..') || path.isAbsolute(inside) || hasKit(folder) || fs.existsSync(file))
    return null;
  const [name, ...rest] = inside.split(path.sep);
  if (name !== 'rifle-kit') return path.join(kitModules(), inside);
  return rest[0] === 'node_modules' ? null : path.join(packageRoot(), ...rest);
}

/** The folder of the packages that the kit is made of: its own, or that of the study which has it. */
function kitModules(): string {
  const study = studyFolder();
  return path.join(study ?? packageRoot(), 'node_modules');
}

const known = new Map<string, boolean>();

/** Whether a `node_modules` of the folder or above it holds the kit. */
function hasKit(folder: string): boolean {
  let has = known.get(folder);
  if (has === undefined) {
    const above = path.dirname(folder);
    has =
      fs.existsSync(path.join(folder, 'node_modules', 'rifle-kit', 'package.json')) ||
      (above !== folder && hasKit(above));
    known.set(folder, has);
  }
  return has;
}
