// Questions to the person at the notebook or at the terminal.
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { KitError } from '../../base/errors';
import { notebookHost } from '../../base/notebook-host';

/** How to ask. */
export interface PromptOptions {
  /** What is typed is not shown. Default false. */
  password?: boolean;
}

/**
 * Asks for a line of text: in a notebook by an input field below the cell, elsewhere in the terminal.
 * @param text the question. Default none.
 * @throws KitError NOTEBOOK_NO_STDIN where nobody can answer: under `rifle notebooks`, nbconvert and the like.
 */
export async function prompt(text = '', { password = false }: PromptOptions = {}): Promise<string> {
  const host = notebookHost();
  if (host !== null) return host.ask(text, password);
  const { stdin, stdout } = process;
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  if (password) stdout.write(text);
  const lines = createInterface({ input: stdin, output: password ? silent : stdout, terminal: stdin.isTTY });
  try {
    const ended = new Promise<never>((_resolve, reject) =>
      lines.once('close', () =>
        reject(
          new KitError('The program waits for input, and standard input has ended.', {
            code: 'NOTEBOOK_NO_STDIN',
            fix: 'Run it in a terminal, or write the answer to its standard input.',
          }),
        ),
      ),
    );
    return await Promise.race([lines.question(password ? '' : text), ended]);
  } finally {
    lines.removeAllListeners('close');
    lines.close();
    if (password) stdout.write('\n');
  }
}
