// Executed notebooks as pages, by nbconvert.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { makeAtomically } from '../../base/files/atomic';
import { KitError } from '../../base/errors';
import { kitHome, setupCommandLine } from '../../base/home';

/**
 * Writes each notebook as one self-contained page `NAME.html`, with the outputs that the file has: figures as SVG,
 * formulas as TeX.
 * @throws KitError PYTHON_ENVIRONMENT_MISSING, NOTEBOOK_HTML_FAILED.
 */
export async function writeHtml(files: readonly string[], folder: string, signal?: AbortSignal): Promise<void> {
  const python = kitHome('venv', 'bin', 'python');
  if (!fs.existsSync(python))
    throw new KitError(`Pages need nbconvert, and ${python} does not exist.`, {
      code: 'PYTHON_ENVIRONMENT_MISSING',
      fix: `Run \`${setupCommandLine()}\`.`,
    });
  fs.mkdirSync(folder, { recursive: true });
  const named = files.map((file) => path.resolve(file));
  try {
    await promisify(execFile)(
      python,
      // -I and its own settings folder: no modules or settings of the user.
      ['-I', '-m', 'nbconvert', '--to', 'html', '--embed-images', '--output-dir', path.resolve(folder), ...named],
      { signal, env: { ...process.env, JUPYTER_CONFIG_DIR: kitHome('jupyter', 'config') }, cwd: folder },
    );
  } catch (cause) {
    const said = String((cause as { stderr?: string }).stderr ?? '').trim();
    throw new KitError(`nbconvert could not write the pages: ${said.split('\n').at(-1) || (cause as Error).message}`, {
      code: 'NOTEBOOK_HTML_FAILED',
      fix: 'Run `npx rifle doctor`.',
      cause,
    });
  }
  for (const file of named) {
    const page = path.join(folder, `${path.basename(file, '.ipynb')}.html`);
    const text = withoutRemoteScripts(fs.readFileSync(page, 'utf8'));
    await makeAtomically(page, (partial) => fs.promises.writeFile(partial, text));
  }
}

/** The page without the scripts that it would load from other machines, for formulas and diagrams. */
export function withoutRemoteScripts(page: string): string {
  const [before, ...parts] = page.split('<script');
  const kept = parts.map((part) => {
    const end = part.indexOf('</script>');
    const isRemote = /\bhttps?:\/\/cdn|\bsrc\s*=\s*["']?(?:https?:)?\/\//.test(part.slice(0, end));
    return end >= 0 && isRemote ? part.slice(end + '</script>'.length) : `<script${part}`;
  });
  return [before, ...kept].join('');
}
