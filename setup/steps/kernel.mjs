// Step: the TypeScript kernel, registered in the project's own Python environment under the name `rifle`.
import fs from 'node:fs';
import path from 'node:path';
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
const text = (places) => JSON.stringify(kernelSpec(places), null, 2) + '\n';

export default {
  name: 'kernel',
  title: 'notebook kernel',
  what: 'registers the kernel "rifle" with JupyterLab',
  seconds: 0.1,

  done({ places }) {
    const file = place(places);
    return fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text(places) ? 'the kernel "rifle" is registered' : null;
  },

  async run({ places }) {
    writeWhole(place(places), text(places));
    return `"rifle" in ${path.dirname(place(places))}`;
  },
};
