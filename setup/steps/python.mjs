// Steps: the project's own Python environment, with JupyterLab and what executes and converts notebooks; and, when it
// is asked for, one with Ray.
import fs from 'node:fs';
import path from 'node:path';
import { run } from '../child.mjs';
import { findPython } from '../machine.mjs';
import { isStamped, stamp } from '../stamp.mjs';

/**
 * A step that makes an environment from a file of pinned requirements.
 * @param {{name: string, title: string, what: string, seconds: number, bytes: number, file: string, least?: string,
 *   optional?: boolean,
 * folder: (places: ReturnType<typeof import('../place.mjs').places>) => string, programs: string[], main: string}}
 *   options
 *   `least`: the oldest Python, where it is not that of the pins; `main`: the package that its line names
 */
function environmentStep({ file, folder, programs, main, least, bytes, ...step }) {
  const inputs = ({ places }) => ({
    requirements: fs.readFileSync(path.join(places.root, file), 'utf8'),
    folder: folder(places), // its programs hold this path
  });
  return {
    ...step,
    writesTo: 'home',
    bytes: () => bytes,

    done(context) {
      const venv = folder(context.places);
      const whole =
        isStamped(venv, inputs(context)) && programs.every((name) => fs.existsSync(path.join(venv, 'bin', name)));
      return whole ? `${venv} is what ${file} says` : null;
    },

    async run(context) {
      const { places, env, signal, pins, progress } = context;
      const venv = folder(places);
      const program = path.join(venv, 'bin', 'python');
      const python = findPython(env, least ?? pins.python);
      const common = { env: environment(env), signal, log: places.log };
      fs.rmSync(venv, { recursive: true, force: true });
      try {
        progress({ detail: `makes an environment of Python ${python.version}` });
        await run(python.program, ['-I', '-m', 'venv', venv], {
          ...common,
          what: `${python.program} could not make an environment`,
          fixFor: () => 'Debian and Ubuntu: `apt-get install python3-venv`; or set RIFLE_PYTHON to another Python.',
        });
        const pip = ['-I', '-m', 'pip', '--disable-pip-version-check', '--no-input'];
        // The file is a complete resolution: pip need not look for dependencies, and `pip check` says whether it is
        // one.
        const options = ['--no-deps', '--no-user', '--require-hashes', '--only-binary=:all:', '--progress-bar', 'off'];
        await run(program, [...pip, 'install', ...options, '--requirement', path.join(places.root, file)], {
          ...common,
          what: `pip could not install the packages of ${file}`,
          onLine: (line) => {
            const [, name] = /^(?:Collecting|Downloading) ([\w.]+)/.exec(line) ?? [];
            if (name !== undefined) progress({ detail: `fetches ${name}` });
            if (line.startsWith('Installing collected')) progress({ detail: 'installs what it fetched' });
          },
          fixFor: (output) =>
            /DO NOT MATCH THE HASHES/.test(output)
              ? `A file that the package index serves does not have the hash of ${file}: it is damaged or another file. Try again; if it stays so, ask whoever runs the index.`
              : undefined,
        });
        await run(program, [...pip, 'check'], {
          ...common,
          what: `The packages of ${file} do not fit together on this Python`,
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
  what: 'JupyterLab and its kin from requirements.txt, by pip with hashes',
  seconds: 50,
  bytes: 0.6e9,
  file: 'requirements.txt',
  folder: ({ venv }) => venv,
  programs: ['python', 'jupyter'],
  main: 'jupyterlab',
});

/** What clusters and tracking are tested with. */
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

/** The environment of pip and python: without what would send packages or imports to another place. */
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
