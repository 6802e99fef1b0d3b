import assert from 'node:assert/strict';
import type { KitError } from '../../../src/base/errors';
import { joinText, type Notebook } from '../../../src/notebook/runner/format';
import { injectParameters } from '../../../src/notebook/runner/parameters';

const cell = (source: string, ...tags: string[]) => ({
  id: source.slice(0, 8),
  cell_type: 'code' as const,
  metadata: { tags },
  source,
  outputs: [],
  execution_count: null,
});
const notebookOf = (...cells: ReturnType<typeof cell>[]): Notebook =>
  ({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }) as unknown as Notebook;
const texts = (notebook: Notebook): string[] => notebook.cells.map(({ source }) => joinText(source));

describe('injectParameters', () => {
  const declaration = cell('let epochs = 3, seeds: number[] = [0];\nconst fixed = 1;', 'parameters');

  it('puts one cell of assignments after the declarations, and replaces that of an earlier run', async () => {
    const notebook = notebookOf(cell('import x'), declaration, cell('epochs + 1'));
    await injectParameters('n.ipynb', notebook, { epochs: 5 });
    await injectParameters('n.ipynb', notebook, { seeds: [1, 2], epochs: 9 });
    assert.deepEqual(texts(notebook), [
      'import x',
      joinText(declaration.source),
      'seeds = [1,2];\nepochs = 9;',
      'epochs + 1',
    ]);
    await injectParameters('n.ipynb', notebook, {});
    assert.equal(notebook.cells.length, 3);
  });

  it('refuses a parameter that no `let` declares, and a notebook without declarations', async () => {
    const refuses = async (notebook: Notebook, name: string, code: string): Promise<void> =>
      assert.rejects(injectParameters('n.ipynb', notebook, { [name]: 1 }), (error: KitError) => error.code === code);
    await refuses(notebookOf(declaration), 'epoch', 'UNKNOWN_PARAMETER');
    await refuses(notebookOf(declaration), 'fixed', 'UNKNOWN_PARAMETER');
    await refuses(notebookOf(cell('let epochs = 3;')), 'epochs', 'NOTEBOOK_WITHOUT_PARAMETERS');
  });
});
