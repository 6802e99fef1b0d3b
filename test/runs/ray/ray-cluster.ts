// A real Ray on this machine for tests: a head of its own on free ports, which ends with all its processes.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { kitHome } from '../../../src/base/home';
import { Ray } from '../../../src/runs/ray/ray';

/** What installs Ray where tests look for it. */
export const INSTALL_RAY = 'node setup/main.mjs --only ray';

/** A program of the optional environment; null when it is not installed. */
export function optionalProgram(name: string): string | null {
  const file = kitHome('ray', 'bin', name);
  return fs.existsSync(file) ? file : null;
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** A cluster of one node. Whoever speaks to it needs its token: it listens on all addresses of the machine. */
export class RayCluster {
  private constructor(
    readonly url: string,
    readonly gcsPort: number,
    readonly token: string,
    private readonly folder: string,
    private readonly head: ChildProcess,
  ) {}

  /** Starts it, with so many CPUs to give away. */
  static async start(program: string, cpus: number): Promise<RayCluster> {
    // short: the names of its sockets have 107 letters at most
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ray-'));
    const [gcs, dashboard, agent, client] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    const token = randomBytes(16).toString('hex');
    const ports = {
      port: gcs,
      'dashboard-port': dashboard,
      'dashboard-agent-listen-port': agent,
      'ray-client-server-port': client,
      'min-worker-port': 0,
      'max-worker-port': 0,
    };
    const args = [
      'start',
      '--head',
      '--block',
      '--dashboard-host=127.0.0.1',
      `--num-cpus=${cpus}`,
      '--disable-usage-stats',
      `--temp-dir=${folder}`,
      ...Object.entries(ports).map(([name, port]) => `--${name}=${port}`),
    ];
    const env = {
      ...process.env,
      RAY_AUTH_MODE: 'token',
      RAY_AUTH_TOKEN: token,
      PATH: [path.dirname(program), path.dirname(process.execPath), process.env.PATH].join(':'),
    };
    const head = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let said = '';
    for (const stream of [head.stdout, head.stderr])
      stream.on('data', (chunk: Buffer) => void (said = (said + chunk.toString()).slice(-4000)));
    process.env.RAY_AUTH_TOKEN = token;
    const cluster = new RayCluster(`http://127.0.0.1:${dashboard}`, gcs, token, folder, head);
    for (const until = performance.now() + 90_000; ; await wait(300)) {
      try {
        if ((await (await Ray.connect(cluster.url)).nodes()).length > 0) return cluster;
      } catch (error) {
        if (head.exitCode === null && performance.now() < until) continue;
        await cluster.stop();
        throw new Error(`Ray did not start: ${(error as Error).message}\n${said}`);
      }
    }
  }

  /** Ends it, and whatever it started. */
  async stop(): Promise<void> {
    delete process.env.RAY_AUTH_TOKEN;
    this.head.kill('SIGTERM');
    for (let i = 0; i < 100 && this.head.exitCode === null && this.head.signalCode === null; i++) await wait(100);
    // `ray stop` ends every Ray of the machine: these are ours by the folder in their command line.
    for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        if (fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(this.folder)) process.kill(Number(pid), 'SIGKILL');
      } catch {
        // it has ended meanwhile
      }
    }
    this.head.kill('SIGKILL');
    fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
