// A notebook as a program: the cells one after the other, without a kernel.
import fs from 'node:fs';
import path from 'node:path';
import { KitError } from '../../base/errors';
import { makeAtomically } from '../../base/files/atomic';
import { joinText, readNotebook } from './format';
import { injectParameters } from './parameters';

/** The name of the function that shows the value of a cell. */
const SHOW = '__show';

/**
 * Writes the notebook `file` as a CommonJS program: `node NAME.cjs` runs it. The value of each cell is printed, or
 * shown as `show` does it. A name that a later cell declares again is another variable from there on, as in the
 * notebook.
 * @param folder where to write it. Packages are looked for from there.
 * @param parameters as `runNotebook`.
 * @returns the path of the program.
 * @throws KitError for a file that is no notebook, for a parameter that is not declared, NOTEBOOK_SCRIPT_MISTAKE for a
 *   cell that cannot be parsed, NOTEBOOK_SCRIPT_IMPORT for an import of a TypeScript file, which Node cannot load.
 */
export async function writeScript(
  file: string,
  folder: string,
  parameters: Record<string, unknown> = {},
): Promise<string> {
  const notebook = readNotebook(file);
  await injectParameters(file, notebook, parameters);
  const { default: ts } = await import('typescript');
  const { boundNames } = await import('../kernel/compiler/source.js');
  const imports = new Set<string>([`import { show as ${SHOW} } from 'rifle-kit';`]);
  const known = new Set<string>();
  const body: string[] = [];
  let blocks = 0;
  for (const [index, { cell_type: type, source, metadata }] of notebook.cells.entries()) {
    const text = joinText(source);
    if (type !== 'code' || metadata.tags?.includes('skip-execution')) {
      body.push(text.replace(/^/gm, '// '), '');
      continue;
    }
    const cell = ts.createSourceFile(`cell-${index + 1}.ts`, text, ts.ScriptTarget.Latest, true);
    const [mistake] = (cell as unknown as { parseDiagnostics: { messageText: unknown }[] }).parseDiagnostics;
    if (mistake !== undefined)
      throw new KitError(`${file}, cell ${index + 1}: ${JSON.stringify(mistake.messageText)}`, {
        code: 'NOTEBOOK_SCRIPT_MISTAKE',
        fix: 'Run the notebook, and correct the cell.',
      });
    const declared = cell.statements.flatMap((statement): string[] => {
      if (ts.isVariableStatement(statement))
        return statement.declarationList.declarations.flatMap(({ name }) => boundNames(name));
      const isNamed =
        ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement) || ts.isEnumDeclaration(statement);
      return isNamed && statement.name !== undefined ? [statement.name.text] : [];
    });
    if (declared.some((name) => known.has(name))) {
      body.push('{');
      blocks++;
    }
    for (const name of declared) known.add(name);
    const last = cell.statements.at(-1);
    for (const statement of cell.statements) {
      if (ts.isImportDeclaration(statement)) {
        const { text: specifier } = statement.moduleSpecifier as import('typescript').StringLiteral;
        requireLoadable(file, specifier);
        for (const name of localNames(statement)) known.add(name);
        imports.add(statement.getText());
      } else if (statement === last && ts.isExpressionStatement(statement)) {
        const value = statement.expression.getText();
        body.push(statement.getFullText().replace(statement.getText(), () => `await __value(${value});`));
      } else body.push(statement.getFullText().replace(/^(\s*)export /, '$1'));
    }
    body.push('');
  }
  const name = path.basename(file, '.ipynb');
  const program = [
    ...imports,
    'const __value = async (value: unknown) => {',
    `  if ((value = await value) !== undefined) await ${SHOW}(value);`,
    '};',
    '(async () => {',
    ...body,
    `${'}'.repeat(blocks)}})().catch((error: unknown) => { console.error(error); process.exitCode = 1; });`,
  ].join('\n');
  const { outputText } = ts.transpileModule(program, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
  });
  const target = path.join(folder, `${name}.cjs`);
  const head = `// Made from ${name}.ipynb by \`rifle notebooks --script\`.\n`;
  fs.mkdirSync(folder, { recursive: true });
  await makeAtomically(target, (partial) => fs.promises.writeFile(partial, head + outputText));
  return target;
}

/** The names that an import makes. */
function localNames({ importClause: clause }: import('typescript').ImportDeclaration): string[] {
  const bindings = clause?.namedBindings;
  const named =
    bindings === undefined ? [] : 'elements' in bindings ? bindings.elements.map(({ name }) => name) : [bindings.name];
  return [...(clause?.name === undefined ? [] : [clause.name]), ...named].map(({ text }) => text);
}

function requireLoadable(file: string, specifier: string): void {
  if (!/^\.\.?\//.test(specifier) || /\.(?:[cm]?js|json)$/.test(specifier)) return;
  throw new KitError(`${file}: the import of "${specifier}" needs the kernel, which compiles it.`, {
    code: 'NOTEBOOK_SCRIPT_IMPORT',
    fix: 'Move its code into a cell or a package, or run the notebook with `npx rifle notebooks`.',
  });
}
