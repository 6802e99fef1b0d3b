// What earlier cells declared, for the compiler: each name has the declarations of the cell that declared it last.
import ts from 'typescript';

/** What a declaration makes: `interface` and `type` make a type, `const` and `function` a value, `class` makes both. */
type Meaning = 'type' | 'value' | 'both';

/** A declaration of a cell, as TypeScript writes it in a `.d.ts` file. */
export interface Declaration {
  /** The name in the cell; `null` for what changes a module or the global types. */
  name: string | null;
  meaning: Meaning;
  text: string;
  /** Whether the cell declares it with `declare`: the value is not the cell's own. */
  isAmbient: boolean;
}

/** The declarations that later cells see. */
export class Declarations {
  private list: Declaration[] = [];

  /** Adds a cell's: they take the place of earlier ones that have the same name and meaning. */
  add(declared: readonly Declaration[]): void {
    const kept = this.list.filter(
      (old) =>
        !declared.some((each) =>
          each.name === null
            ? each.text === old.text
            : each.name === old.name &&
              (each.meaning === old.meaning || each.meaning === 'both' || old.meaning === 'both'),
        ),
    );
    this.list = [...kept, ...declared];
  }

  /** The text of a `.d.ts` file. */
  get text(): string {
    return this.list.map(({ text }) => text).join('\n');
  }

  /** Whether the value `name` is only declared: it is a global's, not a cell's. */
  isAmbient(name: string): boolean {
    return this.list.some((each) => each.name === name && each.isAmbient && each.meaning !== 'type');
  }
}

/** Splits the `.d.ts` text of one cell into its declarations. */
export function declarationsOf(text: string, ambient: ReadonlySet<string>): Declaration[] {
  const file = ts.createSourceFile('cell.d.ts', text, ts.ScriptTarget.Latest, true);
  const make = (name: string | null, meaning: Meaning, each: string): Declaration => ({
    name,
    meaning,
    text: each,
    isAmbient: name !== null && ambient.has(name),
  });
  return file.statements.flatMap((statement): Declaration[] => {
    const whole = statement.getText(file);
    if (ts.isVariableStatement(statement)) {
      const kind =
        (statement.declarationList.flags & ts.NodeFlags.BlockScoped) === ts.NodeFlags.Const ? 'const' : 'let';
      return statement.declarationList.declarations.map((each) =>
        make(each.name.getText(file), 'value', `declare ${kind} ${each.getText(file)};`),
      );
    }
    if (ts.isImportDeclaration(statement))
      return importsOf(statement, file).map(([name, each]) => make(name, 'both', each));
    if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement))
      return [make(statement.name.text, 'type', whole)];
    if (ts.isFunctionDeclaration(statement)) return statement.name ? [make(statement.name.text, 'value', whole)] : [];
    if (ts.isClassDeclaration(statement) || ts.isEnumDeclaration(statement) || ts.isImportEqualsDeclaration(statement))
      return statement.name ? [make(statement.name.text, 'both', whole)] : [];
    if (ts.isModuleDeclaration(statement)) {
      const isNamespace = ts.isIdentifier(statement.name) && (statement.flags & ts.NodeFlags.GlobalAugmentation) === 0;
      return [isNamespace ? make(statement.name.text, 'both', whole) : make(null, 'type', whole)];
    }
    return []; // `export {}`
  });
}

/** Each name that an import declares, with an import of that name alone. */
function importsOf(statement: ts.ImportDeclaration, file: ts.SourceFile): [name: string, text: string][] {
  const { importClause: clause, attributes } = statement;
  if (clause === undefined) return [];
  const from = `from ${statement.moduleSpecifier.getText(file)}${attributes ? ` ${attributes.getText(file)}` : ''};`;
  const keyword = clause.isTypeOnly ? 'import type' : 'import';
  const found: [string, string][] = [];
  if (clause.name) found.push([clause.name.text, `${keyword} ${clause.name.text} ${from}`]);
  const bindings = clause.namedBindings;
  if (bindings === undefined) return found;
  if (ts.isNamespaceImport(bindings))
    return [...found, [bindings.name.text, `${keyword} ${bindings.getText(file)} ${from}`]];
  return [
    ...found,
    ...bindings.elements.map((each): [string, string] => [
      each.name.text,
      `${keyword} { ${each.getText(file)} } ${from}`,
    ]),
  ];
}
