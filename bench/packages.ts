// Popular packages of npm in cells: installed by `install()`, imported, checked with their types, and completed.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Kernel } from '../src/notebook/runner/kernel-client';

/** A package: its types when it brings none, a cell that uses it, and one that its types must refuse. */
interface Probe {
  install: string[];
  use: string;
  result: string;
  /** An assignment of a wrong type. */
  refused: string;
  /** What is typed, and a name that must be among its completions. */
  complete: [typed: string, name: string];
}

const PROBES: Record<string, Probe> = {
  arquero: {
    install: ['arquero@7'],
    use: "import { table, desc } from 'arquero';\ntable({ a: [1, 3, 2] }).orderby(desc('a')).array('a').join()",
    result: '3,2,1',
    refused: 'const wrong: string = table({ a: [1] }).numRows();',
    complete: ['table({ a: [1] }).group', 'groupby'],
  },
  'd3-array': {
    install: ['d3-array@3', '@types/d3-array@3'],
    use: "import { extent, mean } from 'd3-array';\n`${extent([3, 1, 2])} ${mean([1, 2])}`",
    result: '1,3 1.5',
    refused: 'const wrong: string = mean([1]);',
    complete: ['extent([1]).leng', 'length'],
  },
  execa: {
    install: ['execa@9'],
    use: "import { execa } from 'execa';\n(await execa('echo', ['hello'])).stdout",
    result: 'hello',
    refused: "const wrong: number = (await execa('echo')).stdout;",
    complete: ["(await execa('echo')).exitC", 'exitCode'],
  },
  got: {
    install: ['got@14'],
    use: "import got from 'got';\ntypeof got.extend",
    result: 'function',
    refused: "const wrong: number = got.extend({}).get('x');",
    complete: ['got.exten', 'extend'],
  },
  nanoid: {
    install: ['nanoid@5'],
    use: "import { nanoid } from 'nanoid';\nnanoid(5).length",
    result: '5',
    refused: 'const wrong: number = nanoid();',
    complete: ['nanoid().padS', 'padStart'],
  },
  'p-queue': {
    install: ['p-queue@8'],
    use: "import PQueue from 'p-queue';\nawait new PQueue({ concurrency: 2 }).add(() => 7)",
    result: '7',
    refused: 'const wrong: string = new PQueue().size;',
    complete: ['new PQueue().onId', 'onIdle'],
  },
  zod: {
    install: ['zod@4'],
    use: "import { z } from 'zod';\nconst point = z.object({ x: z.number() });\npoint.parse({ x: 1 }).x",
    result: '1',
    refused: 'const wrong: string = point.parse({}).x;',
    complete: ['point.safeP', 'safeParse'],
  },
  'date-fns': {
    install: ['date-fns@4'],
    use: "import { addDays } from 'date-fns';\naddDays(new Date('2026-01-31T00:00:00Z'), 1).toISOString().slice(0, 10)",
    result: '2026-02-01',
    refused: 'const wrong: string = addDays(new Date(), 1);',
    complete: ['addDays(new Date(), 1).getFullY', 'getFullYear'],
  },
  'lodash-es': {
    install: ['lodash-es@4', '@types/lodash-es@4'],
    use: "import { chunk } from 'lodash-es';\nchunk([1, 2, 3], 2).length",
    result: '2',
    refused: 'const wrong: string = chunk([1], 2);',
    complete: ['chunk([1], 2).flatM', 'flatMap'],
  },
  '@observablehq/plot': {
    install: ['@observablehq/plot@0.6'],
    use: "import * as Plot from '@observablehq/plot';\ntypeof Plot.plot",
    result: 'function',
    refused: "const wrong: number = Plot.dot([], { x: 'a' });",
    complete: ['Plot.barY', 'barY'],
  },
};

/** The command `packages` of the bench. Needs npm's registry. */
export async function packagesBench(): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle packages ü-'));
  const kernel = await Kernel.start({ cwd: folder });
  /** The text of a cell's result, or its error. */
  const run = async (code: string): Promise<string> => {
    let said = '';
    await kernel.execute(code, {
      onInput: () => '', // a person: packages are installed
      onOutput: ({ header, content }) => {
        if (header.msg_type === 'error') said = `${String(content.ename)}: ${String(content.evalue)}`;
        else if (header.msg_type === 'execute_result') said = (content.data as Record<string, string>)['text/plain'];
      },
    });
    return said;
  };
  try {
    await run("import { install } from 'rifle-kit';");
    for (const [name, probe] of Object.entries(PROBES)) {
      const began = performance.now();
      const installed = await run(`await install(${probe.install.map((each) => `'${each}'`).join(', ')});`);
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      const result = await run(probe.use);
      const refused = await run(probe.refused);
      const [code, wanted] = probe.complete;
      const { matches } = (await kernel.ask('complete', { code, cursor_pos: code.length })) as { matches: string[] };
      const words = [
        installed === '' ? `installed in ${seconds} s` : installed,
        result === probe.result ? 'runs' : `RESULT ${result}`,
        refused.startsWith('TypeScript: TS2322') ? 'types' : `NO TYPES ${refused}`,
        matches.includes(wanted) ? 'completion' : `NO COMPLETION ${matches.slice(0, 5).join()}`,
      ];
      console.log(`${name.padEnd(20)} ${words.join(', ')}`);
      if (/[A-Z]{4}/.test(words.join())) process.exitCode = 1;
    }
  } finally {
    await kernel.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
