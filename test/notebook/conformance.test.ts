// One notebook for each trap of tslab, under four programs: the kit's runner, nbconvert, papermill and nbmake. Each
// must say the same.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { kitHome } from '../../src/base/home';
import {
  joinText,
  readNotebook,
  type CellOutput,
  type MultilineText,
  type NotebookCell,
} from '../../src/notebook/runner/format';
import { runNotebook } from '../../src/notebook/runner/runner';

interface Trap {
  /** What a notebook meets. */
  name: string;
  cells: (string | { source: string; tags: string[] })[];
  /** What the error must say, in whichever program's words; `null` when the notebook is to pass. */
  fails: RegExp | null;
  parameters?: Record<string, unknown>;
  /** Seconds for a cell. */
  timeout?: number;
  /** Looks at the outputs of all code cells. */
  holds?: (outputs: CellOutput[][]) => void;
  /** Programs that have another opinion by design, and why. */
  except?: Partial<Record<Tool, RegExp>>;
}

const TOOLS = ['nbconvert', 'papermill', 'nbmake'] as const;
type Tool = (typeof TOOLS)[number] | 'rifle';

const text = (outputs: CellOutput[]): string =>
  outputs.map((output) => (output.output_type === 'stream' ? joinText(output.text) : '')).join('');
const htmlOf = (outputs: CellOutput[]): string =>
  outputs
    .map((output) => ('data' in output ? joinText((output.data['text/html'] ?? '') as MultilineText) : ''))
    .join('');

const TRAPS: Trap[] = [
  {
    name: 'shorthand',
    cells: ['const a = 1;', 'const made = { a };\nif (made.a !== 1) throw new Error("lost");'],
    fails: null,
  },
  {
    name: 'a-cell-throws',
    cells: ['1', '\nthrow new RangeError("out of reach");', 'console.log("never")'],
    fails: /RangeError[\s\S]*out of reach/,
    holds: (outputs) => assert.equal(text(outputs[2] ?? []), ''),
  },
  {
    name: 'right-after-a-failure',
    cells: [{ source: 'throw new Error("allowed")', tags: ['raises-exception'] }, 'console.log("still run")'],
    fails: null,
    holds: (outputs) => assert.equal(text(outputs[1]), 'still run\n'),
    except: { papermill: /allowed/ }, // it does not know the tag: it runs all cells and fails then
  },
  {
    name: 'rich-values',
    cells: [
      'import { DataFrame } from "danfojs-node";\nnew DataFrame({ a: [1, 2, 3], b: ["x", "y", "z"] })',
      'import { Figure } from "rifle-kit";\nPromise.resolve({ toHTML: () => `<b>${typeof Figure}</b>` })',
    ],
    fails: null,
    holds: (outputs) => {
      assert.match(htmlOf(outputs[0]), /3 rows × 2 columns/);
      assert.equal(htmlOf(outputs[1]), '<b>function</b>');
      assert.equal(outputs[0][0].output_type, 'execute_result');
    },
  },
  {
    name: 'for-await',
    cells: [
      'async function* two() { yield 1; yield 2; }\nlet sum = 0;',
      'for await (const n of two()) sum += n;\nif (sum !== 3) throw new Error(String(sum));',
    ],
    fails: null,
  },
  {
    name: 'stale-variable',
    cells: [
      'let scale = "smoke";\nconst describe = () => scale;',
      'scale = "mini";',
      'if (describe() !== "mini") throw new Error(describe());',
    ],
    fails: null,
  },
  {
    name: 'unawaited',
    cells: ['Promise.reject(new Error("nobody looked"));\nconst done = true;', 'console.log("never")'],
    fails: /nobody looked/,
  },
  {
    name: 'unawaited-later',
    cells: [
      'setTimeout(() => Promise.reject(new Error("too late")), 1);',
      'await new Promise((resolve) => setTimeout(resolve, 100));',
    ],
    fails: /too late/,
  },
  {
    name: 'refused',
    cells: ['const count: number = 1;\n\nconst name: string = count;'],
    fails: /TS2322[\s\S]*not assignable/,
    holds: (outputs) => assert.match(tracebackOf(outputs[0]), /> 3 \| const name: string = count;/),
  },
  { name: 'throws-a-text', cells: ['throw "just text"'], fails: /just text/ },
  { name: 'process-exit', cells: ['process.exit(0)'], fails: /process\.exit\(0\) was called/ },
  {
    name: 'never-ends',
    cells: ['console.log("begun");\nawait new Promise(() => undefined);'],
    fails: /timed? ?out|within its limit/i,
    timeout: 4,
    holds: (outputs) => assert.match(text(outputs[0]), /begun/),
  },
  {
    name: 'parameters',
    cells: [
      { source: 'let scale: "smoke" | "mini" = "smoke"; // how big\nlet seeds: number[] = [];', tags: ['parameters'] },
      'if (`${scale} ${seeds}` !== process.env.EXPECTED) throw new Error(`found ${scale} ${seeds}`);',
    ],
    parameters: { scale: 'mini', seeds: [1, 2] },
    fails: null,
  },
];

function tracebackOf(outputs: CellOutput[]): string {
  const error = outputs.find((output) => output.output_type === 'error');
  return error?.output_type === 'error' ? error.traceback.join('\n') : '';
}

interface Result {
  ok: boolean;
  error: string;
  outputs: CellOutput[][];
}

describe('a notebook under the kit, nbconvert, papermill and nbmake', function () {
  this.timeout(600_000);
  const python = kitHome('venv', 'bin', 'python');
  const results = new Map<string, Result>();
  let folder: string;

  before(async function () {
    if (!fs.existsSync(python)) this.skip(); // `npm run setup` makes it
    // Below the kit, so that a notebook finds what a study would have beside it.
    folder = fs.mkdtempSync(
      path.join(fs.mkdirSync(kitHome('tmp'), { recursive: true }) ?? kitHome('tmp'), 'conformance-'),
    );
    for (const { name, cells } of TRAPS)
      fs.writeFileSync(path.join(folder, `${name}.ipynb`), JSON.stringify(notebookOf(cells)));
    const jupyter = runJupyter();
    for (const trap of TRAPS) {
      const out = path.join(folder, `${trap.name}.out.ipynb`);
      const { status, failure } = await runNotebook(path.join(folder, `${trap.name}.ipynb`), {
        out,
        parameters: trap.parameters,
        env: expected(trap),
        timeoutSeconds: trap.timeout ?? 60,
      });
      results.set(`rifle ${trap.name}`, {
        ok: status === 'ok',
        error: failure === null ? '' : `${failure.error}\n${failure.traceback}`,
        outputs: outputsOf(readNotebook(out).cells),
      });
    }
    await jupyter;
    const validate =
      'import glob, nbformat, sys\nfor file in glob.glob(sys.argv[1] + "/*.out.ipynb"): nbformat.validate(nbformat.read(file, as_version=4))';
    const { status, stderr } = spawnSync(python, ['-c', validate, folder], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });
  after(() => folder && fs.rmSync(folder, { recursive: true, force: true }));

  const expected = (trap: Trap): Record<string, string> => (trap.parameters ? { EXPECTED: 'mini 1,2' } : {});

  /** All notebooks with all of Jupyter's tools, in one process of Python. */
  async function runJupyter(): Promise<void> {
    // nbconvert and nbmake know no parameters: they are to find the default.
    const jobs = TRAPS.flatMap(({ name, parameters, timeout = 60 }) =>
      TOOLS.filter((tool) => parameters === undefined || tool === 'papermill').map((tool) => ({
        tool,
        file: `${name}.ipynb`,
        parameters: parameters ?? {},
        timeout,
      })),
    );
    fs.writeFileSync(path.join(folder, 'jobs.json'), JSON.stringify(jobs));
    const own = Object.fromEntries(
      ['DATA', 'CONFIG', 'RUNTIME'].map((kind) => [`JUPYTER_${kind}_DIR`, path.join(folder, kind)]),
    );
    const child = spawn(python, [path.join(__dirname, '../../../test/notebook/jupyter_tools.py'), folder], {
      env: { ...process.env, ...own, EXPECTED: 'mini 1,2', PYTHONWARNINGS: 'ignore' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (data) => (said += String(data)));
    const code = await new Promise((resolve) => child.on('close', resolve));
    assert.equal(code, 0, said);
    const found = JSON.parse(fs.readFileSync(path.join(folder, 'results.json'), 'utf8')) as {
      ok: boolean;
      error: string;
      cells: NotebookCell[];
    }[];
    jobs.forEach(({ tool, file }, i) =>
      results.set(`${tool} ${path.basename(file, '.ipynb')}`, {
        ok: found[i].ok,
        error: found[i].error,
        outputs: outputsOf(found[i].cells),
      }),
    );
  }

  for (const trap of TRAPS) {
    it(`${trap.name}: ${trap.fails === null ? 'passes' : 'fails'} in all`, () => {
      for (const tool of ['rifle', ...TOOLS] as const) {
        const result = results.get(`${tool} ${trap.name}`);
        if (result === undefined) continue; // a tool that has no parameters
        const wanted = trap.except?.[tool] ?? trap.fails;
        assert.equal(result.ok, wanted === null, `${tool}: ${result.error}`);
        if (wanted !== null) assert.match(result.error, wanted, tool);
        trap.holds?.(result.outputs);
      }
    });
  }
});

const outputsOf = (cells: NotebookCell[]): CellOutput[][] =>
  cells.filter(({ cell_type: type }) => type === 'code').map(({ outputs }) => outputs ?? []);

function notebookOf(cells: Trap['cells']): object {
  const code = cells.map((cell, index) => {
    const { source, tags } = typeof cell === 'string' ? { source: cell, tags: [] } : cell;
    return {
      cell_type: 'code',
      id: `cell-${index}`,
      metadata: tags.length > 0 ? { tags } : {},
      source,
      outputs: [],
      execution_count: null,
    };
  });
  const kernelspec = { name: 'rifle', display_name: 'TypeScript (rifle-kit)', language: 'typescript' };
  return { cells: code, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 };
}
