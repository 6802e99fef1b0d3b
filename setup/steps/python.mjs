// Step: the project's own Python environment, with JupyterLab and what executes and converts notebooks.
import fs from 'node:fs';
import path from 'node:path';
import { run } from '../child.mjs';
import { findPython } from '../machine.mjs';
import { isStamped, stamp } from '../stamp.mjs';

const inputs = ({ places }) => ({
  requirements: fs.readFileSync(path.join(places.root, 'requirements.txt'), 'utf8'),
  folder: places.venv, // its programs hold this path
});

export default {
  name: 'python',
  title: 'Python environment',
  what: 'JupyterLab and its kin from requirements.txt, by pip with hashes',
  seconds: 50,
  writesTo: 'home',
  bytes: () => 0.6e9,

  done(context) {
    const { places } = context;
    const whole = isStamped(places.venv, inputs(context)) && ['python', 'jupyter'].every((name) => fs.existsSync(path.join(places.venv, 'bin', name)));
    return whole ? `${places.venv} is what requirements.txt says` : null;
  },

  async run(context) {
    const { places, env, signal, pins, progress } = context;
    const python = findPython(env, pins.python);
    const common = { env: environment(env), signal, log: places.log };
    fs.rmSync(places.venv, { recursive: true, force: true });
    try {
      progress({ detail: `makes an environment of Python ${python.version}` });
      await run(python.program, ['-m', 'venv', places.venv], {
        ...common,
        what: `${python.program} could not make an environment`,
        fixFor: () => 'Debian and Ubuntu: `apt-get install python3-venv`; or set RIFLE_PYTHON to another Python.',
      });
      const pip = ['-m', 'pip', '--disable-pip-version-check', '--no-input'];
      // The file is a complete resolution: pip need not look for dependencies, and `pip check` says whether it is one.
      const options = ['--no-deps', '--no-user', '--require-hashes', '--only-binary=:all:', '--progress-bar', 'off'];
      await run(places.python, [...pip, 'install', ...options, '--requirement', path.join(places.root, 'requirements.txt')], {
        ...common,
        what: 'pip could not install the packages of requirements.txt',
        onLine: (line) => {
          const [, name] = /^(?:Collecting|Downloading) ([\w.]+)/.exec(line) ?? [];
          if (name !== undefined) progress({ detail: `fetches ${name}` });
          if (line.startsWith('Installing collected')) progress({ detail: 'installs what it fetched' });
        },
        fixFor: (output) =>
          /DO NOT MATCH THE HASHES/.test(output)
            ? 'A file that the package index serves does not have the hash of requirements.txt: it is damaged or another file. Try again; if it stays so, ask whoever runs the index.'
            : undefined,
      });
      await run(places.python, [...pip, 'check'], { ...common, what: 'The packages of requirements.txt do not fit together on this Python' });
      stamp(places.venv, inputs(context), { python: python.version });
    } catch (error) {
      fs.rmSync(places.venv, { recursive: true, force: true });
      throw error;
    }
    const lab = fs.readdirSync(sitePackages(places.venv)).find((name) => /^jupyterlab-[\d.]+\.dist-info$/.test(name));
    return `${lab?.replace(/-([\d.]+)\.dist-info/, ' $1')} on Python ${python.version} in ${places.venv}`;
  },
};

/** The environment of pip and python: without what would send packages or imports to another place. */
function environment(env) {
  const { PYTHONHOME, PYTHONPATH, PIP_TARGET, PIP_PREFIX, PIP_REQUIRE_VIRTUALENV, ...rest } = env;
  return rest;
}

/** The folder of the environment's packages. */
export function sitePackages(venv) {
  const library = path.join(venv, 'lib');
  return path.join(library, fs.readdirSync(library).find((name) => name.startsWith('python3')), 'site-packages');
}
