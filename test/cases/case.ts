// A case: a folder with a small input and a README that states a command, what is expected and what was observed once.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../src/base/home';

/** A folder of cases, copied to where it may be changed. */
export interface Case {
  /** For example `01-await-operand` or `attacks/07-truncated-tiff`. */
  name: string;
  /** The copy. */
  folder: string;
  /** An empty folder for results. */
  out: string;
  /** Fields of the README: COMMAND, EXPECTED, OBSERVED, MAKE FIRST; whole text: TEXT. */
  readme: Readonly<Record<string, string>>;
  /** A Python with torch, torchvision and safetensors; null: cases that need them are not run. */
  python: string | null;
}

/** The result of a case; `ok` is null where it was not run, or nothing here can compare it. */
export interface Outcome {
  expected: string;
  found: string;
  ok: boolean | null;
}

/** How to run a case. */
export type Run = (given: Case) => Promise<Outcome>;

/** What a process left. */
export interface Ended {
  code: number | null;
  seconds: number;
  /** Standard output and errors. */
  text: string;
}

/** Runs a process in a group of its own, and kills the group after `seconds`. */
export function runProcess(
  command: string,
  args: readonly string[],
  { cwd, env = {}, seconds = 180 }: { cwd?: string; env?: Record<string, string>; seconds?: number } = {},
): Promise<Ended> {
  const start = performance.now();
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (piece: string) => (text = (text + piece).slice(-1_000_000)));
  const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), seconds * 1000);
  return new Promise((resolve) =>
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, text, seconds: (performance.now() - start) / 1000 });
    }),
  );
}

/** Runs `rifle` with the present build. */
export const rifle = (args: readonly string[], options: Parameters<typeof runProcess>[2] = {}): Promise<Ended> =>
  runProcess(process.execPath, [path.join(packageRoot(), 'dist', 'src', 'cli', 'main.js'), ...args], options);

/** Runs tests of this repository that hold the same kind with inputs of their own. @param grep a part of their titles. */
export function tests(file: string, grep: string, expected: string): Run {
  return async () => {
    const mocha = path.join(packageRoot(), 'node_modules', 'mocha', 'bin', 'mocha.js');
    const { code, text } = await runProcess(
      process.execPath,
      [mocha, '--fgrep', grep, '--timeout', '120000', '--reporter', 'json', path.join('dist', 'test', file)],
      { cwd: packageRoot() },
    );
    const count = (field: string): number => Number(new RegExp(`"${field}": (\\d+)`).exec(text)?.[1] ?? 0);
    const [passed, failed] = [count('passes'), count('failures')];
    return {
      expected,
      found: `${passed} tests of ${file} pass, ${failed} fail`,
      ok: code === 0 && passed > 0 && failed === 0,
    };
  };
}

/** Copies a folder of cases. @param from its path. */
export function copyOf(from: string, name: string, scratch: string, python: string | null): Case {
  const [folder, out] = [path.join(scratch, 'cases', name), path.join(scratch, 'out', name)];
  fs.cpSync(from, folder, { recursive: true });
  for (const each of [folder, ...(fs.readdirSync(folder, { recursive: true }) as string[])])
    fs.chmodSync(path.resolve(folder, each), 0o755);
  fs.mkdirSync(out, { recursive: true });
  const file = ['README', 'README.txt'].map((each) => path.join(folder, each)).find((each) => fs.existsSync(each));
  const text = file === undefined ? '' : fs.readFileSync(file, 'utf8');
  const fields = [...text.matchAll(/^([A-Z ]+): (.*)$/gm)].map(([, key, value]) => [key, value.trim()]);
  return {
    name,
    folder,
    out,
    python,
    readme: { ...(Object.fromEntries(fields) as Record<string, string>), TEXT: text },
  };
}
