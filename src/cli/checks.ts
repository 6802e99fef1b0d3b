// The checks of `rifle doctor`: each tells what it found and, when something is wrong, the command that mends it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type KitError } from '../base/errors';
import { kitHome, packageRoot, studyFolder } from '../base/home';

/** The outcome of one check. */
export interface Check {
  name: string;
  ok: boolean;
  /** What was found. */
  found: string;
  /** The command that mends it; empty when nothing is wrong. */
  fix: string;
}

/** Backbone and data set that the kit begins with. */
const DEFAULT_BACKBONE = 'efficientnet_lite0.tf_in1k';
const DEFAULT_DATASET = 'elpv';

/** Runs `look` and makes a check of it: what it returns was found, what it throws is wrong. */
async function check(name: string, fix: string, look: () => string | Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, found: await look(), fix: '' };
  } catch (error) {
    const { message, fix: better } = error as KitError;
    return { name, ok: false, found: message, fix: better === undefined || better === '' ? fix : better };
  }
}

/** Asks a fresh Node process, which may crash without harm. */
const askNode = (script: string): string =>
  execFileSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    cwd: packageRoot(),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  }).trim();

/** Why a process of Node failed: the message of the error that it ended with, else the first line that it said. */
function reasonOf(error: unknown): string {
  const said = String((error as { stderr?: unknown }).stderr ?? '') || (error as Error).message;
  return /^\w*Error: (.*)$/m.exec(said)?.[1] ?? said.trim().split('\n')[0];
}

/** All checks, in the order in which a machine is set up. */
export async function runChecks(): Promise<Check[]> {
  return [
    await check('node', 'Install Node 20.19 or later.', () => {
      const [major, minor] = process.versions.node.split('.').map(Number);
      if (major < 20 || (major === 20 && minor < 19))
        throw new Error(`Node ${process.versions.node}; 20.19 or later is needed.`);
      return `Node ${process.versions.node}`;
    }),

    await check('tensorflow', 'npm run setup', () => {
      try {
        const engine = JSON.stringify(path.join(__dirname, '../engine/binding.js'));
        return askNode(
          `const {internals} = require(${engine}); const {tf} = require(${JSON.stringify(path.join(__dirname, '../engine/tensorflow.js'))});` +
            `const sum = tf.add(1, 2).dataSync()[0]; if (sum !== 3) throw new Error('1 + 2 gave ' + sum);` +
            `const b = internals().binding; console.log('TensorFlow ' + b.TF_Version + ' on ' + (b.isUsingGpuDevice() ? 'a GPU' : 'the CPU'))`,
        );
      } catch (error) {
        throw new Error(reasonOf(error));
      }
    }),

    await check('weights', `npx rifle weights fetch ${DEFAULT_BACKBONE}`, async () => {
      const { weightsManifest, weightsState } = await import('../backbones/weights/store.js');
      const state = await weightsState(weightsManifest(DEFAULT_BACKBONE));
      if (state !== 'ready') throw new Error(`The weights of ${DEFAULT_BACKBONE} are ${state}.`);
      return `${DEFAULT_BACKBONE} is ready`;
    }),

    await check('data', `npx rifle data prepare ${DEFAULT_DATASET}`, async () => {
      const { datasets } = await import('../data/catalog.js');
      const state = datasets.state(DEFAULT_DATASET);
      if (state !== 'ready') throw new Error(`The data set ${DEFAULT_DATASET} is ${state}.`);
      return `${DEFAULT_DATASET} is ready`;
    }),

    await check('jupyter', 'npm run setup', () => {
      const jupyter = kitHome('venv', 'bin', 'jupyter');
      if (!fs.existsSync(jupyter))
        throw new Error(`JupyterLab is not installed: there is no ${path.relative(process.cwd(), jupyter)}.`);
      return `JupyterLab ${execFileSync(jupyter, ['lab', '--version'], { encoding: 'utf8' }).trim()}`;
    }),

    await check('kernel', 'npm run setup', () => {
      const spec = kitHome('venv', 'share', 'jupyter', 'kernels', 'rifle', 'kernel.json');
      if (!fs.existsSync(spec)) throw new Error('The notebook kernel "rifle" is not registered.');
      const { argv, display_name: title } = JSON.parse(fs.readFileSync(spec, 'utf8')) as {
        argv: string[];
        display_name: string;
      };
      const missing = argv.find((part) => path.isAbsolute(part) && !fs.existsSync(part));
      if (missing !== undefined)
        throw new Error(`The notebook kernel "rifle" points to ${missing}, which is not there.`);
      return title;
    }),

    await check('package', 'npm run setup', () => {
      const link = studyFolder() === null ? path.join(packageRoot(), 'node_modules', 'rifle-kit') : packageRoot();
      if (!fs.existsSync(path.join(link, 'package.json')))
        throw new Error("Notebooks cannot import 'rifle-kit': its link in node_modules is missing.");
      return "notebooks can import 'rifle-kit'";
    }),

    await check('disk', 'Free some space, or move the kit with RIFLE_HOME.', () => {
      const { bavail, bsize } = fs.statfsSync(fs.existsSync(kitHome()) ? kitHome() : packageRoot());
      const free = (bavail * bsize) / 1e9;
      if (free < 1) throw new Error(`Only ${free.toFixed(1)} GB are free in ${kitHome()}; 1 GB is needed.`);
      return `${free.toFixed(0)} GB free`;
    }),
  ];
}
