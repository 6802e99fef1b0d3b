// Cases of whole commands: what they print, what they keep, and how they end.
import fs from 'node:fs';
import path from 'node:path';
import { kitHome } from '../../src/base/home';
import { startLab } from '../../src/notebook/lab';
import { rifle, type Run } from './case';

const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

/** Names in weights files never reach the terminal as control characters. */
export const escapes: Run = async ({ folder }) => {
  const files = fs.readdirSync(folder).filter((name) => /\.(pth|h5|safetensors)$/.test(name));
  const texts = await Promise.all(
    files.map(async (name) => (await rifle(['weights', 'match', 'resnet50.tv_in1k', path.join(folder, name)])).text),
  );
  const bad = files.filter((_, i) => CONTROL.test(texts[i]) || texts[i].includes('unexpected error'));
  return {
    expected: 'no control character reaches the terminal',
    found: bad.length === 0 ? `none, of ${files.length} files` : bad.join(', '),
    ok: bad.length === 0 && files.length > 0,
  };
};

/** Commands that fail in ways the user can correct: one sentence each, no stack. */
export const refusals: Run = async ({ out }) => {
  const long = path.join(out, 'n'.repeat(240));
  const image = kitHome('data', 'elpv');
  for (const each of ['train/a', 'train/b', 'test/a', 'test/b']) {
    const folder = path.join(long, each);
    fs.mkdirSync(folder, { recursive: true });
    fs.copyFileSync(path.join(__dirname, '..', '..', '..', 'test', 'fixtures', 'data', 'odd', 'one-pixel.png'), path.join(folder, `${each.replace('/', '')}.png`)); // prettier-ignore
  }
  const temporary = path.join(out, 't'.repeat(150));
  fs.mkdirSync(temporary);
  const notebook = path.join(out, 'one.ipynb');
  const kernelspec = { name: 'rifle', display_name: 'rifle', language: 'typescript' };
  const cell = { cell_type: 'code', id: 'a', metadata: {}, source: '1 + 1', outputs: [], execution_count: null };
  fs.writeFileSync(
    notebook,
    JSON.stringify({ cells: [cell], metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }),
  );
  const address = (end: string): string[] => ['weights', 'match', 'resnet50.tv_in1k', `http://127.0.0.1:9/${end}#sha256=${'0'.repeat(64)}`]; // prettier-ignore
  const results = await Promise.all([
    rifle(['data', 'check', long]),
    rifle(['notebooks', notebook, '--out', out], { env: { TMPDIR: temporary } }),
    rifle(address('%00')),
    rifle(address('%E0%A4%A')),
    rifle(address('x'.repeat(300))),
    rifle(['train', '--dataset', path.join(image, 'none'), '--runs', path.join(out, 'r'.repeat(300))]),
  ]);
  const bad = results.filter(({ text }) => /unexpected error|^ {4}at /m.test(text));
  return {
    expected: 'one sentence and what to do, no stack',
    found:
      bad.length === 0 ? `${results.length} commands, no stack` : bad.map(({ text }) => text.slice(0, 200)).join(' | '),
    ok: bad.length === 0,
  };
};

/** `rifle lab` runs nothing of its folder. */
export const lab: Run = async ({ folder }) => {
  const expected = 'no Python file of the folder is executed';
  if (!fs.existsSync(kitHome('venv', 'bin', 'python'))) return { expected, found: 'no Python environment', ok: null };
  const mark = path.join(folder, 'was-run');
  for (const name of ['tornado', 'json', 'jupyterlab', 'random', 'sitecustomize'])
    fs.writeFileSync(path.join(folder, `${name}.py`), `open(${JSON.stringify(mark)}, 'a').write('x')\n`);
  const started = await startLab({ folder, port: 8991, startSeconds: 180 });
  await started.stop();
  const ran = fs.existsSync(mark);
  return { expected, found: ran ? 'a file was executed' : 'none, and JupyterLab answered', ok: !ran };
};
