// Parameters of a notebook: a cell of assignments after the one that declares them.
import { KitError, unknownName } from '../../base/errors';
import { joinText, type Notebook, type NotebookCell } from './format';

/**
 * Puts a cell that assigns the parameters after the cell tagged `parameters`; a cell from an earlier run is replaced.
 * @throws KitError when no cell has the tag, or it does not declare a parameter with `let` or `var`.
 */
export async function injectParameters(
  file: string,
  notebook: Notebook,
  parameters: Record<string, unknown>,
): Promise<void> {
  const tagged = (cell: NotebookCell, tag: string): boolean => cell.metadata.tags?.includes(tag) ?? false;
  notebook.cells = notebook.cells.filter((cell) => !tagged(cell, 'injected-parameters'));
  const names = Object.keys(parameters);
  if (names.length === 0) return;
  const index = notebook.cells.findIndex((cell) => cell.cell_type === 'code' && tagged(cell, 'parameters'));
  if (index < 0)
    throw new KitError(`${file}: expected a code cell with the tag "parameters" for ${names.join(', ')}, found none.`, {
      code: 'NOTEBOOK_WITHOUT_PARAMETERS',
      fix: 'Declare them with `let` in one cell, and give it that tag.',
    });
  const declared = await variablesOf(joinText(notebook.cells[index].source));
  for (const name of names) if (!declared.includes(name)) throw unknownName('parameter', name, declared);
  notebook.cells.splice(index + 1, 0, {
    id: 'injected-parameters',
    cell_type: 'code',
    metadata: { tags: ['injected-parameters'] },
    source: names.map((name) => `${name} = ${JSON.stringify(parameters[name])};`).join('\n'),
    outputs: [],
    execution_count: null,
  });
}

/** The variables that a cell declares with `let` or `var`. */
async function variablesOf(source: string): Promise<string[]> {
  // Loading TypeScript takes a quarter of a second, which a run without parameters does not need.
  const { default: ts } = await import('typescript');
  const { boundNames } = await import('../kernel/compiler/source.js');
  const { statements } = ts.createSourceFile('parameters.ts', source, ts.ScriptTarget.Latest);
  return statements.flatMap((statement) =>
    ts.isVariableStatement(statement) && (statement.declarationList.flags & ts.NodeFlags.Const) === 0
      ? statement.declarationList.declarations.flatMap(({ name }) => boundNames(name))
      : [],
  );
}
