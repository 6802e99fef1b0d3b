// Cases that are notebooks: run as `rifle notebooks` runs them, and compared output by output.
import fs from 'node:fs';
import path from 'node:path';
import { kitHome } from '../../src/base/home';
import { Kernel } from '../../src/notebook/runner/kernel-client';
import { joinText, readNotebook, type CellOutput } from '../../src/notebook/runner/format';
import { rifle, runProcess, type Case, type Outcome, type Run } from './case';

const textOf = (output: CellOutput): string => {
  if (output.output_type === 'stream') return joinText(output.text);
  if (output.output_type === 'error') return `${output.ename}: ${output.evalue}`;
  return joinText((output.data['text/plain'] as string | undefined) ?? '');
};

/** The outputs of each code cell as one text. */
const cellTexts = (file: string): string[] =>
  readNotebook(file)
    .cells.filter(({ cell_type: type }) => type === 'code')
    .map(({ outputs }) => (outputs ?? []).map(textOf).join('\n').trim());

/** The notebooks below a folder. */
const notebooksBelow = (folder: string): string[] =>
  (fs.readdirSync(folder, { recursive: true }) as string[])
    .filter((file) => file.endsWith('.ipynb') && !file.includes('node_modules'))
    .sort()
    .map((file) => path.join(folder, file));

const shown = (texts: readonly string[]): string =>
  texts.map((text) => (text.length > 40 ? `${text.slice(0, 40)}...` : text).replace(/\s+/g, ' ')).join(' | ');

/**
 * Runs the notebooks of a case.
 * @param expected of each code cell: its whole output, or a pattern in it.
 * @param options.seconds that the command may take. @param options.fails whether it must fail.
 * @param options.files that are written into the copy before.
 */
export function notebook(
  expected: readonly (string | RegExp)[],
  {
    seconds = 120,
    fails = false,
    files = {},
  }: { seconds?: number; fails?: boolean; files?: Record<string, string> } = {},
): Run {
  return async (given) => {
    const [file] = notebooksBelow(given.folder);
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(given.folder, name), text);
    const ended = await rifle(['notebooks', file, '--out', given.out, '--timeout', '60'], { seconds: 200 });
    const result = path.join(given.out, path.basename(file));
    if (!fs.existsSync(result))
      return { expected: shown(expected.map(String)), found: ended.text.slice(-300), ok: false };
    const texts = cellTexts(result);
    const fits = expected.every((each, i) => (typeof each === 'string' ? texts[i] === each : each.test(texts[i])));
    return {
      expected: shown(expected.map(String)),
      found: shown(texts),
      ok: fits && ended.seconds <= seconds && (ended.code !== 0) === fails,
    };
  };
}

/** Two notebooks of one name: two files, or a refusal before anything runs. */
export const sameName: Run = async ({ folder, out, readme }) => {
  const { code, text } = await rifle(['notebooks', ...notebooksBelow(folder), '--out', out]);
  const written = notebooksBelow(out).map((file) => path.basename(file));
  return {
    expected: readme.EXPECTED,
    found: written.length === 0 ? text.trim().split('\n')[0] : `wrote ${written.join(', ')}`,
    ok: written.length === 2 || (written.length === 0 && code !== 0),
  };
};

/** By nbconvert, whose files must be UTF-8. */
export const byNbconvert: Run = async ({ folder, out, readme }) => {
  const bin = kitHome('venv', 'bin');
  if (!fs.existsSync(bin)) return { expected: readme.EXPECTED, found: `there is no ${bin}`, ok: null };
  const [file] = notebooksBelow(folder);
  const { text } = await runProcess(
    path.join(bin, 'jupyter-nbconvert'),
    ['--to', 'notebook', '--execute', file, '--output-dir', out],
    { env: { PATH: `${bin}:${process.env.PATH}` } },
  );
  const result = path.join(out, path.basename(file));
  const found = fs.existsSync(result) ? shown(cellTexts(result)) : text.slice(-300);
  return { expected: readme.EXPECTED, found, ok: found.includes('\ufffd') && found.includes('ok') };
};

/** Cells that run again, as in JupyterLab: the id of a cell and its code, and what the last run must show. */
export function rerun(cells: readonly [id: string, code: string][], expected: RegExp): Run {
  return async ({ out, readme }): Promise<Outcome> => {
    const kernel = await Kernel.start({ cwd: out });
    let last = '';
    try {
      for (const [cellId, code] of cells) {
        last = '';
        await kernel.execute(code, {
          cellId,
          timeoutSeconds: 60,
          onOutput({ header, content }) {
            if (header.msg_type === 'error') last += `${String(content.ename)}: ${String(content.evalue)}`;
            if (header.msg_type === 'execute_result')
              last += String((content.data as Record<string, unknown>)['text/plain']);
          },
        });
      }
    } finally {
      await kernel.stop();
    }
    return { expected: readme.EXPECTED, found: last.trim().slice(0, 100), ok: expected.test(last) };
  };
}

/** A notebook that nothing here knows: what it gave, for a comparison by eye. */
export const unknownNotebook = async (given: Case): Promise<Outcome> => {
  const [file] = notebooksBelow(given.folder);
  await rifle(['notebooks', file, '--out', given.out, '--timeout', '60'], { seconds: 200 });
  const result = path.join(given.out, path.basename(file));
  return {
    expected: given.readme.EXPECTED ?? '',
    found: fs.existsSync(result) ? shown(cellTexts(result)) : 'no notebook was written',
    ok: null,
  };
};
