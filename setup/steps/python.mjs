// Steps: the kit's Python environment with JupyterLab and the programs that execute and convert notebooks; and an
// optional one with Ray.
import fs from 'node:fs';
import path from 'node:path';
import { run } from '../system/program.mjs';
import { findPython } from '../system/machine.mjs';
import { isStamped, stamp } from '../system/stamp.mjs';

/**
 * A step that makes an environment from a file of pinned requirements.
 * @param {{name: string, title: string, what: string, seconds: number, bytes: number, file: string, least?: string,
 *   optional?: boolean,
 * folder: (paths: ReturnType<typeof import('../system/paths.mjs').pathsOf>) => string, programs: string[], main: string}}
 *   options
 *   `least`: the oldest Python, where it is not that of the pins; `main`: the package that its line names
 */
function environmentStep({ file, folder, programs, main, least, bytes, ...step }) {
  const inputs = ({ paths }) => ({
    requirements: fs.readFileSync(path.join(paths.root, file), 'utf8'),
    folder: folder(paths), // its programs contain this path
  });
  return {
    ...step,
    writesTo: 'home',
    bytes: () => bytes,

    done(context) {
      const venv = folder(context.paths);
      const whole =
        isStamped(venv, inputs(context)) && programs.every((name) => fs.existsSync(path.join(venv, 'bin', name)));
      return whole ? `${venv} matches ${file}` : null;
    },

    async run(context) {
      const { paths, env, signal, pins, progress } = context;
      const venv = folder(paths);
      const program = path.join(venv, 'bin', 'python');
      const python = findPython(env, least ?? pins.python);
      const common = { env: environment(env), signal, log: paths.log };
      fs.rmSync(venv, { recursive: true, force: true });
      try {
        progress({ detail: `makes an environment of Python ${python.version}` });
        await run(python.program, ['-I', '-m', 'venv', venv], {
          ...common,
          what: `${python.program} could not make an environment`,
          fixFor: () => 'Debian and Ubuntu: `apt-get install python3-venv`; or set RIFLE_PYTHON to another Python.',
        });
        const pip = ['-I', '-m', 'pip', '--disable-pip-version-check', '--no-input'];
        // The file lists all dependencies, so pip need not resolve them. `pip check` verifies this.
        const options = ['--no-deps', '--no-user', '--require-hashes', '--only-binary=:all:', '--progress-bar', 'off'];
        await run(program, [...pip, 'install', ...options, '--requirement', path.join(paths.root, file)], {
          ...common,
          what: `pip could not install the packages of ${file}`,
          onLine: (line) => {
            const [, name] = /^(?:Collecting|Downloading) ([\w.]+)/.exec(line) ?? [];
            if (name !== undefined) progress({ detail: `downloads ${name}` });
            if (line.startsWith('Installing collected')) progress({ detail: 'installs the packages' });
          },
          fixFor: (output) =>
            /DO NOT MATCH THE HASHES/.test(output)
              ? `A file of the package index does not have the hash of ${file}: it is damaged or was replaced. Try again. If this repeats, ask the operator of the index.`
              : undefined,
        });
        await run(program, [...pip, 'check'], {
          ...common,
          what: `The packages of ${file} are not compatible on this Python`,
        });
        stamp(venv, inputs(context), { python: python.version });
      } catch (error) {
        fs.rmSync(venv, { recursive: true, force: true });
        throw error;
      }
      const found = fs
        .readdirSync(sitePackages(venv))
        .map((name) => /^([\w.]+)-([\d.]+)\.dist-info$/.exec(name))
        .find((match) => match?.[1] === main);
      return `${main} ${found?.[2]} on Python ${python.version} in ${venv}`;
    },
  };
}

export default environmentStep({
  name: 'python',
  title: 'Python environment',
  what: 'JupyterLab and other packages of requirements.txt, by pip with hashes',
  seconds: 50,
  bytes: 0.6e9,
  file: 'requirements.txt',
  folder: ({ venv }) => venv,
  programs: ['python', 'jupyter'],
  main: 'jupyterlab',
});

/** The programs with which clusters and tracking are tested. */
export const ray = environmentStep({
  name: 'ray',
  title: 'Ray',
  what: 'Ray, an MLflow server and TensorBoard from requirements-ray.txt, for tests (only when asked for)',
  optional: true,
  seconds: 60,
  bytes: 1e9,
  least: '3.10',
  file: 'requirements-ray.txt',
  folder: ({ ray }) => ray,
  programs: ['python', 'ray', 'mlflow'],
  main: 'ray',
});

/** The environment variables of pip and python, without those that redirect packages or imports. */
function environment(env) {
  const { PYTHONHOME, PYTHONPATH, PIP_TARGET, PIP_PREFIX, PIP_REQUIRE_VIRTUALENV, ...rest } = env;
  return rest;
}

/** The folder of the environment's packages. */
export function sitePackages(venv) {
  const library = path.join(venv, 'lib');
  return path.join(
    library,
    fs.readdirSync(library).find((name) => name.startsWith('python3')),
    'site-packages',
  );
}
