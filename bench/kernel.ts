// The kernel over time: how long it takes to its first result and to the kit, what a long session costs in memory, and
// what it leaves behind.
import fs from 'node:fs';
import os from 'node:os';
import { isAlive } from '../src/base/files/atomic';
import { Kernel } from '../src/notebook/runner/kernel-client';

/** What was measured. */
export interface KernelEndurance {
  /** From starting the process to the first result, of each start. */
  firstResultSeconds: number[];
  /** Importing the kit in a cell, of each start that did. */
  importSeconds: number[];
  /** Median time of a cell of the long session. */
  cellSeconds: number;
  /** Median time of a cell in each tenth of the long session. */
  tenthSeconds: number[];
  /**
   * What the long session's kernel holds after each tenth of its cells, garbage collected: JavaScript's heap and what
   * it keeps outside, MB.
   */
  heldMb: number[];
  /** Kernels that were still alive after they had been stopped. */
  orphans: number[];
}

/**
 * Starts and stops `restarts` kernels, then runs `cells` cells in one more; the kit is imported in the first `imports`
 * kernels and in the long session.
 */
export async function kernelEndurance({
  restarts,
  cells,
  imports = 1,
}: {
  restarts: number;
  cells: number;
  imports?: number;
}): Promise<KernelEndurance> {
  const folder = fs.mkdtempSync(`${os.tmpdir()}/rifle-endurance-`);
  const result: KernelEndurance = {
    firstResultSeconds: [],
    importSeconds: [],
    cellSeconds: 0,
    tenthSeconds: [],
    heldMb: [],
    orphans: [],
  };
  const pids: number[] = [];
  const seconds = async (work: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await work();
    return (performance.now() - began) / 1000;
  };
  const started = async (): Promise<Kernel> => {
    let kernel!: Kernel;
    result.firstResultSeconds.push(
      await seconds(async () => {
        kernel = await Kernel.start({ cwd: folder });
        await kernel.execute('1 + 1');
      }),
    );
    pids.push(kernel.pid);
    return kernel;
  };
  const importKit = async (kernel: Kernel): Promise<void> => {
    result.importSeconds.push(await seconds(() => kernel.execute("import { memory, tf } from 'rifle-kit';")));
  };
  try {
    for (let i = 0; i < restarts; i++) {
      const kernel = await started();
      if (i < imports) await importKit(kernel);
      await kernel.stop();
    }
    const kernel = await started();
    await importKit(kernel);
    const times: number[] = [];
    for (let i = 0; i < cells; i++) {
      // Ten tensors in turn, as in a notebook that is worked at: each cell replaces that of its last run. One cell in
      // ten declares a new name.
      const named = i % 10 === 0 ? `const n${i} = ${i};\n` : '';
      const code = `${named}const t${i % 10} = tf.ones([256, 256]);\nt${i % 10}.shape.join()`;
      times.push(await seconds(() => kernel.execute(code, { cellId: `cell-${i % 10}` })));
      if ((i + 1) % Math.ceil(cells / 10) === 0) {
        result.heldMb.push(await heldMb(kernel));
        result.tenthSeconds.push(median(times.slice(-Math.ceil(cells / 10))));
      }
    }
    result.cellSeconds = median(times);
    await kernel.stop();
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  result.orphans = pids.filter(isAlive);
  return result;
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/**
 * The exponent p of the time of a cell, seconds ~ cells^p: the slope of a straight line through the logarithms of the
 * tenths' medians.
 */
export function growth(tenthSeconds: readonly number[]): number {
  const x = tenthSeconds.map((_, i) => Math.log(i + 0.5));
  const y = tenthSeconds.map(Math.log);
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const covariance = x.reduce((sum, value, i) => sum + (value - mx) * (y[i] - my), 0);
  return covariance / x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
}

/** Collects the kernel's garbage and asks what is left. */
async function heldMb(kernel: Kernel): Promise<number> {
  let held = NaN;
  const collect = "require('node:v8').setFlagsFromString('--expose-gc'); require('node:vm').runInNewContext('gc')();";
  await kernel.execute(
    `${collect}\n(({ heapUsed, external }) => Math.round((heapUsed + external) / 1e6))(process.memoryUsage())`,
    {
      onOutput: ({ header, content }) => {
        if (header.msg_type === 'execute_result') held = Number((content.data as Record<string, string>)['text/plain']);
      },
    },
  );
  return held;
}

/** The command `kernel` of the bench. */
export async function kernelBench({
  restarts,
  cells,
  json,
}: {
  restarts: number;
  cells: number;
  json?: boolean;
}): Promise<void> {
  const result = await kernelEndurance({ restarts, cells, imports: Math.min(5, restarts) });
  if (json) return void console.log(JSON.stringify(result, null, 2));
  const range = (values: number[], digits: number): string =>
    `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;
  console.log(
    `start to first result   ${median(result.firstResultSeconds).toFixed(2)} s (median of ${result.firstResultSeconds.length}; ${range(result.firstResultSeconds, 2)})`,
  );
  console.log(
    `import of the kit       ${median(result.importSeconds).toFixed(2)} s (median of ${result.importSeconds.length}; ${range(result.importSeconds, 2)})`,
  );
  console.log(`load of the machine     ${os.loadavg()[0].toFixed(1)} on ${os.cpus().length} CPUs`);
  console.log(`time of cells ~ cells^p  p = ${growth(result.tenthSeconds).toFixed(3)}`);
  console.log(`a cell                  ${(1000 * result.cellSeconds).toFixed(0)} ms (median of ${cells})`);
  console.log(`held over ${cells} cells    ${result.heldMb.join(', ')} MB`);
  console.log(`left behind             ${result.orphans.length} of ${result.firstResultSeconds.length} kernels`);
  if (result.orphans.length > 0) process.exitCode = 1;
}
