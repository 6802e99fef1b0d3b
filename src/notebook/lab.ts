// Starts JupyterLab with the kit's kernel: on this machine only, with a token, with its own data and settings.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { KitError } from '../base/errors';
import { kitHome, packageRoot, setupCommandLine } from '../base/home';
import { guard, unguard } from './runner/guard';

/** How to start JupyterLab. */
export interface LabOptions {
  /** The folder of the notebooks. */
  folder: string;
  /** Port; the next free one when it is taken. Default 8888. */
  port?: number;
  /** Opens a browser. Default false. */
  browser?: boolean;
  /** Environment variables of its kernels, added to those of this process. */
  env?: Record<string, string>;
  /** Time limit for the start, seconds. Default 90. */
  startSeconds?: number;
  /** Further settings by the id of JupyterLab's plugins. */
  settings?: Record<string, object>;
  /** Receives each line of the server's output. */
  onLine?: (line: string) => void;
  signal?: AbortSignal;
}

/** A running JupyterLab. */
export interface Lab {
  /** Its address with the token. */
  url: string;
  /** The address of a notebook of its folder. */
  urlOf(notebook: string): string;
  /** Resolves when the server has ended. */
  ended: Promise<void>;
  /** Ends it and its kernels. */
  stop(): Promise<void>;
}

/** Settings of a new JupyterLab. Changes of the user are kept. */
const SETTINGS: Record<string, object> = {
  // no requests to other machines
  '@jupyterlab/apputils-extension:notification': { fetchNews: 'false', checkForUpdates: false },
  '@jupyterlab/completer-extension:manager': { showDocumentationPanel: true }, // doc comments beside completions
};

/** Lines of the server's output in an error. */
const SHOWN = 15;

/**
 * Starts JupyterLab from the Python environment of the set-up and waits until it is ready.
 * @throws KitError when the environment is missing or the server does not start.
 */
export async function startLab(options: LabOptions): Promise<Lab> {
  const { folder, port = 8888, browser = false, env = {}, startSeconds = 90, settings = {}, onLine, signal } = options;
  const python = kitHome('venv', 'bin', 'python');
  if (!fs.existsSync(python))
    throw new KitError(`JupyterLab is not installed: ${python} does not exist.`, {
      code: 'PYTHON_ENVIRONMENT_MISSING',
      fix: `Run \`${setupCommandLine()}\`.`,
    });
  if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new KitError(`The folder ${folder} does not exist.`, {
      code: 'LAB_FOLDER_MISSING',
      fix: 'Name the folder with the notebooks.',
    });
  writeSettings({ ...SETTINGS, ...settings });
  const token = randomBytes(24).toString('hex');
  const own = ownFolders();
  // Python (-I) and Jupyter read no modules or settings from the user's folder: they start in a folder of the kit.
  const program = ['-I', path.join(packageRoot(), 'setup', 'python', 'rifle_lab.py'), String(process.pid)];
  const child = spawn(python, [...program, ...flags(path.resolve(folder), port, browser)], {
    cwd: own.JUPYTER_DATA_DIR,
    // Not an argument: every user of the machine can read arguments.
    env: { ...process.env, ...own, ...env, JUPYTER_TOKEN: token, PYTHONSAFEPATH: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // in its own process group: Ctrl-C reaches only this process, which then ends the server
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
        said.push(line);
        if (said.length > SHOWN) said.shift();
        onLine?.(line);
      }
    });
  }
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => (said.push(error.message), resolve()));
    child.once('exit', () => resolve());
  });
  const server = { kill: () => void child.kill('SIGTERM') };
  guard(server);
  void ended.then(() => unguard(server));
  const stop = (): Promise<void> => end(child, ended);
  try {
    const base = await answering(child, { token, ended, startSeconds, said, signal });
    const address = (where: string): string => `${base}lab${where}?token=${token}`;
    return {
      url: address(''),
      urlOf: (notebook) => address(`/tree/${notebook.split(path.sep).map(encodeURIComponent).join('/')}`),
      ended,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Its own folders, so that it neither reads nor changes another Jupyter of this user. */
function ownFolders(): Record<string, string> {
  const folders = { JUPYTER_DATA_DIR: 'data', JUPYTER_CONFIG_DIR: 'config', JUPYTER_RUNTIME_DIR: 'runtime' };
  const all = Object.entries(folders).map(([name, folder]) => {
    const made = kitHome('jupyter', folder);
    fs.mkdirSync(made, { recursive: true, mode: 0o700 });
    return [name, made];
  });
  return { ...(Object.fromEntries(all) as Record<string, string>), JUPYTER_PREFER_ENV_PATH: '1' };
}

function flags(folder: string, port: number, browser: boolean): string[] {
  return [
    ...(browser ? [] : ['--no-browser']),
    '--ServerApp.ip=127.0.0.1',
    `--ServerApp.port=${port}`,
    `--ServerApp.root_dir=${folder}`,
    '--MultiKernelManager.default_kernel_name=rifle',
    '--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate',
    '--LabApp.extension_manager=readonly',
    ...(process.getuid?.() === 0 ? ['--allow-root'] : []),
  ];
}

/** Writes user settings for JupyterLab, unless there are some. */
function writeSettings(settings: Record<string, object>): void {
  for (const [plugin, values] of Object.entries(settings)) {
    const [extension, name] = plugin.split(':');
    const file = kitHome('jupyter', 'config', 'lab', 'user-settings', extension, `${name}.jupyterlab-settings`);
    if (fs.existsSync(file)) continue;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `${JSON.stringify(values, null, 2)}\n`);
  }
}

/** The server's base address, when it is ready. Its port is in a file that it writes. */
async function answering(
  child: ChildProcess,
  {
    token,
    ended,
    startSeconds,
    said,
    signal,
  }: { token: string; ended: Promise<void>; startSeconds: number; said: readonly string[]; signal?: AbortSignal },
): Promise<string> {
  const file = kitHome('jupyter', 'runtime', `jpserver-${child.pid}.json`);
  const deadline = performance.now() + startSeconds * 1000;
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  for (;;) {
    signal?.throwIfAborted();
    const words = said.length > 0 ? ` It printed last:\n${said.join('\n')}` : '';
    if (hasEnded)
      throw new KitError(`JupyterLab ended during its start.${words}`, {
        code: 'LAB_ENDED',
        fix: 'Run `npx rifle doctor`.',
      });
    if (performance.now() > deadline)
      throw new KitError(`JupyterLab was not ready within ${startSeconds} s.${words}`, {
        code: 'LAB_START_TIMEOUT',
        fix: 'Run `npx rifle doctor`; on a busy machine, try again.',
      });
    if (fs.existsSync(file)) {
      try {
        const { port } = JSON.parse(fs.readFileSync(file, 'utf8')) as { port: number };
        const base = `http://127.0.0.1:${port}/`;
        const { ok } = await fetch(`${base}api/status`, {
          headers: { Authorization: `token ${token}` },
          signal: AbortSignal.timeout(2000),
        });
        if (ok) return base;
      } catch {
        // half-written, or not listening yet
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Asks the server to end with its kernels; kills the process group when it does not. */
async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  const signalGroup = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // it has ended
    }
  };
  child.kill('SIGTERM');
  const patience = setTimeout(() => signalGroup('SIGKILL'), 10_000);
  await ended;
  clearTimeout(patience);
}
