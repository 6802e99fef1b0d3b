// Step: the TypeScript kernel, registered in the project's own Python environment under the name `rifle`, and its
// parameters made known to papermill.
import fs from 'node:fs';
import path from 'node:path';
import { sitePackages } from './python.mjs';
import { writeWhole } from '../stamp.mjs';

/** Jupyter's description of the kernel. Paths are absolute: a notebook server need not have Node on its path. */
export function kernelSpec({ dist }, node = process.execPath) {
  return {
    argv: [node, path.join(dist, 'src', 'notebook', 'kernel', 'main.js'), '{connection_file}'],
    display_name: 'TypeScript (rifle-kit)',
    language: 'typescript',
    interrupt_mode: 'message', // a thread of its own answers, also while a cell computes
    metadata: { debugger: false },
  };
}

const place = ({ venv }) => path.join(venv, 'share', 'jupyter', 'kernels', 'rifle', 'kernel.json');

/** The files of the plugin, as pip would have installed it: the module, and what tells papermill to load it. */
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
const files = (places) => ({ [place(places)]: JSON.stringify(kernelSpec(places), null, 2) + '\n', ...plugin(places) });

export default {
  name: 'kernel',
  title: 'notebook kernel',
  what: 'registers the kernel "rifle" with JupyterLab and papermill',
  seconds: 0.1,

  done({ places }) {
    const whole = Object.entries(files(places)).every(
      ([file, text]) => fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text,
    );
    return whole ? 'the kernel "rifle" is registered' : null;
  },

  async run({ places }) {
    for (const [file, text] of Object.entries(files(places))) writeWhole(file, text);
    return `"rifle" in ${path.dirname(place(places))}`;
  },
};
