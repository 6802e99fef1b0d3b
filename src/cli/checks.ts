// The checks of `rifle doctor`. Each says what it found and, when something is wrong, the command that fixes it.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { KitError } from '../base/errors';
import { kitHome, packageRoot, setupCommandLine, studyFolder } from '../base/home';

/** The outcome of one check. */
export interface Check {
  name: string;
  ok: boolean;
  /** What was found. */
  found: string;
  /** The command that fixes it; empty when nothing is wrong. */
  fix: string;
}

/** Backbone and data set that the set-up prepares. */
const DEFAULT_BACKBONE = 'efficientnet_lite0.tf_in1k';
const DEFAULT_DATASET = 'elpv';
/** Free space below which runs are likely to fail, in GB. */
const LEAST_FREE = 1;

/** Runs `look`: its result is what was found, its error is what is wrong. @param fix where the error names none */
async function check(name: string, fix: string, look: () => string | Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, found: await look(), fix: '' };
  } catch (error) {
    const own = error instanceof KitError ? error.fix : '';
    return { name, ok: false, found: (error as Error).message, fix: own === '' ? fix : own };
  }
}

/** All checks, in the order in which a machine is set up. They run side by side; each is yielded when it has ended. */
export async function* runChecks(): AsyncGenerator<Check> {
  const setup = setupCommandLine();
  yield* [
    check('node', 'Install Node 20.19 or later.', nodeVersion),
    check('tensorflow', setup, tensorflow),
    check('weights', `npx rifle weights fetch ${DEFAULT_BACKBONE}`, weights),
    check('data', `npx rifle data prepare ${DEFAULT_DATASET}`, dataset),
    check('jupyter', setup, jupyter),
    check('kernel', setup, kernel),
    check('package', setup, packageLink),
    check('disk', 'Free some space, or move the kit with RIFLE_HOME.', disk),
  ];
}

function nodeVersion(): string {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    throw new Error(`Node ${process.versions.node}; 20.19 or later is needed.`);
  return `Node ${process.versions.node}`;
}

/** Computes 1 + 2 in a process of its own: a library that does not fit the machine would end this one. */
async function tensorflow(): Promise<string> {
  const engine = (file: string): string => JSON.stringify(path.join(__dirname, '..', 'engine', file));
  const script = `
    const { internals } = require(${engine('binding.js')});
    const { tf } = require(${engine('tensorflow.js')});
    const sum = tf.add(1, 2).dataSync()[0];
    if (sum !== 3) throw new Error('1 + 2 gave ' + sum);
    const { binding } = internals();
    console.log('TensorFlow ' + binding.TF_Version + ' on ' + (binding.isUsingGpuDevice() ? 'a GPU' : 'the CPU'));`;
  try {
    const options = { cwd: packageRoot(), timeout: 120_000 };
    return (await promisify(execFile)(process.execPath, ['-e', script], options)).stdout.trim();
  } catch (error) {
    const printed = String((error as { stderr?: unknown }).stderr ?? '') || (error as Error).message;
    throw new Error(/^\w*Error: (.*)$/m.exec(printed)?.[1] ?? printed.trim().split('\n')[0]);
  }
}

async function weights(): Promise<string> {
  const { weightsManifest, weightsState } = await import('../backbones/weights/store.js');
  const state = await weightsState(weightsManifest(DEFAULT_BACKBONE));
  if (state !== 'ready') throw new Error(`The weights of ${DEFAULT_BACKBONE} are ${state}.`);
  return `${DEFAULT_BACKBONE} is ready`;
}

async function dataset(): Promise<string> {
  const { datasets } = await import('../data/catalog.js');
  const state = datasets.state(DEFAULT_DATASET);
  if (state !== 'ready') throw new Error(`The data set ${DEFAULT_DATASET} is ${state}.`);
  return `${DEFAULT_DATASET} is ready`;
}

/** JupyterLab's version, read from its files: to start it takes seconds. */
function jupyter(): string {
  const python = kitHome('venv', 'bin', 'python');
  if (!fs.existsSync(python))
    throw new Error(`JupyterLab is not installed: there is no ${path.relative(process.cwd(), python)}.`);
  const [library] = fs.readdirSync(kitHome('venv', 'lib')).filter((name) => name.startsWith('python3'));
  const packages = fs.readdirSync(kitHome('venv', 'lib', library, 'site-packages'));
  const version = packages.map((name) => /^jupyterlab-([\d.]+)\.dist-info$/.exec(name)?.[1]).find(Boolean);
  if (version === undefined) throw new Error(`JupyterLab is not installed in ${kitHome('venv')}.`);
  return `JupyterLab ${version}`;
}

function kernel(): string {
  const spec = kitHome('venv', 'share', 'jupyter', 'kernels', 'rifle', 'kernel.json');
  if (!fs.existsSync(spec)) throw new Error('The notebook kernel "rifle" is not registered.');
  const { argv, display_name: title } = JSON.parse(fs.readFileSync(spec, 'utf8')) as {
    argv: string[];
    display_name: string;
  };
  const missing = argv.find((argument) => path.isAbsolute(argument) && !fs.existsSync(argument));
  if (missing !== undefined) throw new Error(`The notebook kernel "rifle" points to ${missing}, which does not exist.`);
  return title;
}

function packageLink(): string {
  const link = studyFolder() === null ? path.join(packageRoot(), 'node_modules', 'rifle-kit') : packageRoot();
  if (!fs.existsSync(path.join(link, 'package.json')))
    throw new Error("Notebooks cannot import 'rifle-kit': its link in node_modules is missing.");
  return "notebooks can import 'rifle-kit'";
}

function disk(): string {
  const { bavail, bsize } = fs.statfsSync(fs.existsSync(kitHome()) ? kitHome() : packageRoot());
  const free = (bavail * bsize) / 1e9;
  if (free < LEAST_FREE)
    throw new Error(`Only ${free.toFixed(1)} GB are free in ${kitHome()}; ${LEAST_FREE} GB is needed.`);
  return `${free.toFixed(0)} GB free`;
}
