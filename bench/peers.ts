// The peers in Python that the benchmarks compare with: where they are, and how they are installed. Nothing else needs
// them.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { KitError } from '../src/base/errors';
import { kitHome, packageRoot } from '../src/base/home';

/** A peer, by the module that it is, and the file of its pinned packages. */
export const peers = {
  pytorch: { title: 'PyTorch', module: 'torch', requirements: 'pytorch.txt' },
  tensorflow: { title: 'Python TensorFlow', module: 'tensorflow', requirements: 'tensorflow.txt' },
} as const;

/** Name of a peer. */
export type Peer = keyof typeof peers;

/** The pins were resolved for it (bench/README.md). */
const OLDEST_PYTHON = '3.11';

const environmentOf = (peer: Peer): string => kitHome('peers', peer);

/** The folder of the peers' programs and pins. */
export const peerFolder = (): string => path.join(packageRoot(), 'bench', 'peers');

const found = new Map<Peer, string>();

/**
 * A Python that has `peer`: the first of RIFLE_BENCH_PYTHON (one or several, as in PATH), and what `npm run bench --
 * peers` has installed.
 * @throws KitError when there is none.
 */
export function pythonOf(peer: Peer): string {
  const candidates = [
    ...(process.env.RIFLE_BENCH_PYTHON ?? '').split(path.delimiter).filter(Boolean),
    path.join(environmentOf(peer), 'bin', 'python'),
  ];
  const python = found.get(peer) ?? candidates.find((each) => has(each, peers[peer].module));
  if (python === undefined)
    throw new KitError(`${peers[peer].title} is not installed`, {
      code: 'BENCH_PEERS',
      fix: `npm run bench -- peers ${peer} (or RIFLE_BENCH_PYTHON, a Python that has it)`,
    });
  found.set(peer, python);
  return python;
}

function has(python: string, module: string): boolean {
  try {
    execFileSync(
      python,
      ['-c', `import importlib.util, sys; sys.exit(importlib.util.find_spec("${module}") is None)`],
      { stdio: 'ignore' },
    );
    return true;
  } catch {
    return false;
  }
}

/**
 * Installs peers, pinned by hash, each into an environment of its own below the kit's home. @param gpu with the
 * libraries of the GPU.
 */
export function installPeers(names: Peer[], { python, gpu }: { python: string; gpu: boolean }): void {
  for (const name of names) {
    const folder = environmentOf(name);
    const gpuPins = path.join(peerFolder(), `${name}-gpu.txt`);
    const pins = gpu && fs.existsSync(gpuPins) ? gpuPins : path.join(peerFolder(), peers[name].requirements);
    console.log(`${peers[name].title}: ${path.relative(packageRoot(), pins)} into ${folder}`);
    try {
      execFileSync(python, ['-m', 'venv', folder], { stdio: 'inherit' });
      execFileSync(
        path.join(folder, 'bin', 'python'),
        [
          '-m',
          'pip',
          'install',
          '--quiet',
          '--disable-pip-version-check',
          '--require-hashes',
          '--only-binary',
          ':all:',
          '-r',
          pins,
        ],
        { stdio: 'inherit' },
      );
    } catch (cause) {
      throw new KitError(`${peers[name].title} could not be installed with ${python}: what it said stands above.`, {
        code: 'BENCH_PEERS',
        fix: `The pins are for Python ${OLDEST_PYTHON} and newer; \`--python PYTHON\` names another.`,
        cause,
      });
    }
  }
}
