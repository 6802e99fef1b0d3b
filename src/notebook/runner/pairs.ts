// Notebooks and their texts: in the folder `text` beside each notebook, its cells as a TypeScript file for reviews, as
// jupytext writes it.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { makeAtomically } from '../../base/files/atomic';
import { KitError } from '../../base/errors';
import { kitHome, packageRoot, setupCommandLine } from '../../base/home';
import { readNotebook } from './format';

/** A notebook and its text. */
export interface Pair {
  notebook: string;
  /** Absolute path of the text: `text/NAME.ts` beside the notebook. */
  text: string;
  state: 'same' | 'differs' | 'missing' | 'written';
  /** The first difference; empty when there is none. */
  difference: string;
}

/** The path of the text of a notebook. */
export const textOf = (notebook: string): string =>
  path.join(path.dirname(path.resolve(notebook)), 'text', `${path.basename(notebook, '.ipynb')}.ts`);

/**
 * Compares notebooks with their texts, or writes the texts. Outputs and execution counts do not belong to a text.
 * @throws KitError when a file is no notebook or the Python environment is missing.
 */
export async function comparePairs(
  notebooks: readonly string[],
  { write = false }: { write?: boolean } = {},
): Promise<Pair[]> {
  notebooks.forEach(readNotebook);
  const texts = await jupytext(notebooks.map((notebook) => path.resolve(notebook)));
  const pairs: Pair[] = [];
  for (const notebook of notebooks) {
    const text = textOf(notebook);
    const wanted = texts[path.resolve(notebook)];
    const found = fs.existsSync(text) ? fs.readFileSync(text, 'utf8') : null;
    if (found === wanted) pairs.push({ notebook, text, state: 'same', difference: '' });
    else if (write) {
      await makeAtomically(text, (partial) => fs.promises.writeFile(partial, wanted));
      pairs.push({ notebook, text, state: 'written', difference: '' });
    } else
      pairs.push({
        notebook,
        text,
        state: found === null ? 'missing' : 'differs',
        difference: found === null ? `there is no ${text}` : firstDifference(wanted, found),
      });
  }
  return pairs;
}

/** The texts of all notebooks, by path, from one process of Python: importing jupytext takes longer than its work. */
async function jupytext(notebooks: string[]): Promise<Record<string, string>> {
  const python = kitHome('venv', 'bin', 'python');
  if (!fs.existsSync(python))
    throw new KitError(`jupytext is not installed: ${python} does not exist.`, {
      code: 'PYTHON_ENVIRONMENT_MISSING',
      fix: `Run \`${setupCommandLine()}\`.`,
    });
  try {
    const script = path.join(packageRoot(), 'setup', 'python', 'notebook_texts.py');
    const { stdout } = await promisify(execFile)(python, ['-I', script, ...notebooks], { maxBuffer: 1 << 28 });
    return JSON.parse(stdout) as Record<string, string>;
  } catch (cause) {
    const said = String((cause as { stderr?: string }).stderr ?? '')
      .trim()
      .split('\n')
      .at(-1);
    throw new KitError(`jupytext could not read the notebooks: ${said || (cause as Error).message}`, {
      code: 'NOTEBOOK_PAIRS_UNREADABLE',
      fix: 'Run `npx rifle doctor`.',
      cause,
    });
  }
}

function firstDifference(notebook: string, text: string): string {
  const [left, right] = [notebook.split('\n'), text.split('\n')];
  const at = left.findIndex((line, i) => line !== right[i]);
  const line = at < 0 ? left.length : at;
  const [ofText, ofNotebook] = [right[line] ?? 'missing', left[line] ?? 'nothing there'];
  return `line ${line + 1} of the text is ${JSON.stringify(ofText)}, the notebook has ${JSON.stringify(ofNotebook)}`;
}
