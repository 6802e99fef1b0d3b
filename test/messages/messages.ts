// Every failure that the sources can report, read from their syntax: code, message and fix.
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** A `new KitError(...)` of the sources. `{...}` in its texts stands for a value. */
export interface Message {
  file: string;
  line: number;
  /** Empty where no code is given. */
  code: string;
  message: string;
  fix: string;
}

/** The text of an expression: literals as they are, values as `{source}`. */
function textOf(node: ts.Expression | undefined): string {
  if (node === undefined) return '';
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map((span) => `{…}${span.literal.text}`).join('');
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken)
    return textOf(node.left) + textOf(node.right);
  if (ts.isConditionalExpression(node)) return `${textOf(node.whenTrue)} / ${textOf(node.whenFalse)}`;
  if (ts.isParenthesizedExpression(node)) return textOf(node.expression);
  return '{…}';
}

const propertyOf = (options: ts.Expression | undefined, name: string): ts.Expression | undefined => {
  if (options === undefined || !ts.isObjectLiteralExpression(options)) return undefined;
  for (const property of options.properties) {
    if (ts.isPropertyAssignment(property) && property.name.getText() === name) return property.initializer;
    if (ts.isShorthandPropertyAssignment(property) && property.name.text === name) return property.name;
  }
  return undefined;
};

function* filesBelow(folder: string): Generator<string> {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(file);
    else if (/\.ts$/.test(entry.name) && !/\.d\.ts$/.test(entry.name)) yield file;
  }
}

/** The failures of all sources below `folder`, sorted by file and line. */
export function messagesBelow(folder: string): Message[] {
  const found: Message[] = [];
  for (const file of [...filesBelow(folder)].sort()) {
    const source = ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      if (ts.isNewExpression(node) && node.expression.getText() === 'KitError') {
        const [message, options] = node.arguments ?? [];
        found.push({
          file: path.relative(folder, file),
          line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1,
          code: textOf(propertyOf(options, 'code')),
          message: textOf(message),
          fix: textOf(propertyOf(options, 'fix')),
        });
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}
