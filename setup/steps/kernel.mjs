// Step: registers the TypeScript kernel in the kit's Python environment under the name `rifle`, and a plugin that lets
// papermill set the parameters of TypeScript notebooks.
import fs from 'node:fs';
import path from 'node:path';
import { sitePackages } from './python.mjs';
import { writeWhole } from '../system/stamp.mjs';

/** Jupyter's description of the kernel. Paths are absolute: a notebook server need not have Node on its path. */
export function kernelSpec({ dist }, node = process.execPath) {
  return {
    argv: [node, path.join(dist, 'src', 'notebook', 'kernel', 'main.js'), '{connection_file}'],
    display_name: 'TypeScript (rifle-kit)',
    language: 'typescript',
    interrupt_mode: 'message', // another thread handles it, also while a cell computes
    metadata: { debugger: false },
  };
}

const place = ({ venv }) => path.join(venv, 'share', 'jupyter', 'kernels', 'rifle', 'kernel.json');

/** The files of the plugin as pip would install them: the module, and the entry point by which papermill loads it. */
function plugin({ root, venv }) {
  const folder = sitePackages(venv);
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const info = 'rifle_papermill.dist-info';
  const files = {
    'rifle_papermill.py': fs.readFileSync(path.join(root, 'setup', 'python', 'rifle_papermill.py'), 'utf8'),
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: rifle-papermill\nVersion: ${version}\nSummary: Parameters of TypeScript notebooks for papermill\n`,
    [`${info}/entry_points.txt`]: '[papermill.engine]\nrifle = rifle_papermill:RifleEngine\n',
    [`${info}/INSTALLER`]: 'rifle-kit\n',
  };
  const record = [...Object.keys(files), `${info}/RECORD`].map((name) => `${name},,\n`).join('');
  return Object.fromEntries(
    Object.entries({ ...files, [`${info}/RECORD`]: record }).map(([name, text]) => [path.join(folder, name), text]),
  );
}

/** All files of the step, by their paths. */
const files = (paths) => ({ [place(paths)]: JSON.stringify(kernelSpec(paths), null, 2) + '\n', ...plugin(paths) });

export default {
  name: 'kernel',
  title: 'notebook kernel',
  what: 'registers the kernel "rifle" with JupyterLab and papermill',
  seconds: 0.1,

  done({ paths }) {
    const whole = Object.entries(files(paths)).every(
      ([file, text]) => fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text,
    );
    return whole ? 'the kernel "rifle" is registered' : null;
  },

  async run({ paths }) {
    for (const [file, text] of Object.entries(files(paths))) writeWhole(file, text);
    return `"rifle" in ${path.dirname(place(paths))}`;
  },
};
