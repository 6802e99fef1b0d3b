// The kernel, cell by cell, as a client sees it: each trap of tslab has its test here, and once more as a notebook in
// conformance.test.ts.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Kernel, type ExecuteOptions } from '../../src/notebook/runner/kernel-client';
import type { Message } from '../../src/notebook/runner/wire';

describe('the kernel', function () {
  this.timeout(240_000);
  let kernel: Kernel;
  let folder: string;
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-kernel-test-'));
    kernel = await Kernel.start({ cwd: folder });
  });
  after(async () => {
    await kernel.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  /** What a cell left behind. */
  async function run(code: string, options: ExecuteOptions = {}) {
    const messages: Message[] = [];
    const { status, executionCount } = await kernel.execute(code, {
      timeoutSeconds: 100,
      ...options,
      onOutput: (message) => (messages.push(message), options.onOutput?.(message)),
    });
    const of = (type: string): Record<string, unknown>[] =>
      messages.filter(({ header }) => header.msg_type === type).map(({ content }) => content);
    const stream = (name: string): string =>
      of('stream')
        .filter((content) => content.name === name)
        .map(({ text }) => text)
        .join('');
    const error = messages.find(({ header }) => header.msg_type === 'error');
    return {
      status,
      number: executionCount,
      stdout: stream('stdout'),
      stderr: stream('stderr'),
      results: of('execute_result').map(({ data }) => data as Record<string, unknown>),
      error: error && {
        ...(error.content as { ename: string; evalue: string; traceback: string[] }),
        line: (error.metadata.rifle as { line: number | null }).line,
      },
    };
  }
  const value = async (code: string): Promise<unknown> => {
    const { results, error } = await run(code);
    assert.equal(error, undefined, error?.traceback.join('\n'));
    return results[0]?.['text/plain'];
  };
  const fails = async (code: string, options?: ExecuteOptions) => {
    const { status, error } = await run(code, options);
    assert.equal(status, 'error');
    return error!;
  };

  it('shows the value of a last expression as a result, a promise as its value, and nothing for undefined', async () => {
    assert.equal(await value('[1, 2].map((x) => x * 2)'), '[ 2, 4 ]');
    assert.equal(await value('Promise.resolve({ deep: true })'), '{ deep: true }');
    assert.equal(await value('"text"'), 'text');
    assert.equal(await value('null'), 'null');
    assert.equal(await value('undefined'), undefined);
    assert.equal(await value('const quiet = 1;'), undefined);
  });

  it('shows what has Jupyter.display or toHTML by it', async () => {
    const { results } = await run('({ [Symbol.for("Jupyter.display")]: async () => ({ "text/html": "<b>1</b>" }) })');
    assert.equal(results[0]['text/html'], '<b>1</b>');
    assert.equal((await run('({ toHTML: () => "<i>2</i>", n: 2 })')).results[0]['text/html'], '<i>2</i>');
    assert.equal((await fails('({ toHTML() { throw new TypeError("cannot draw") } })')).evalue, 'cannot draw');
  });

  it('knows variables of earlier cells in {a}, also as the target of an assignment', async () => {
    await run('const a = 1;\nlet b = "b";');
    assert.equal(await value('const both = { a, b };\nboth'), "{ a: 1, b: 'b' }");
    assert.equal(await value('({ b } = { b: "new" });\nb'), 'new');
    assert.equal(await value('({ b = "default" } = {} as { b?: string });\nb'), 'default');
  });

  it('shares a variable between cells: a function sees what a later cell assigned', async () => {
    await run('let rate = 0.1;\nconst describe = () => `rate ${rate}`;\nfunction halve() { rate /= 2; }');
    await run('rate = 0.5;');
    assert.equal(await value('describe()'), 'rate 0.5');
    assert.equal(await value('halve();\nrate'), '0.25');
    assert.equal(
      await value('let rate = 7;\n`${describe()}, ${rate}`'),
      'rate 0.25, 7',
      'a variable that is declared anew is another one',
    );
  });

  it('keeps the value of a variable when a cell that declares it again fails', async () => {
    await run('const kept = { value: 1 };');
    await fails('const kept = JSON.parse("{");');
    assert.equal(await value('kept'), '{ value: 1 }');
  });

  it('awaits at the top level, in `for await` too', async () => {
    await run('async function* numbers() { yield 1; yield 2; }');
    assert.equal((await run('for await (const n of numbers()) console.log(n);')).stdout, '1\n2\n');
    assert.equal(await value('const two = await Promise.resolve(2);\ntwo'), '2');
  });

  it('tells the line of the cell, the number of the TypeScript error, and no stack of its own', async () => {
    const refused = await fails('const a = 1;\n\nconst text: string = a;\nmissing.foo');
    assert.deepEqual([refused.ename, refused.line], ['TypeScript', 3]);
    assert.equal(
      refused.evalue,
      "TS2322: Type 'number' is not assignable to type 'string'.\nTS2304: Cannot find name 'missing'.",
    );
    assert.ok(
      refused.traceback.includes('> 3 | const text: string = a;') && refused.traceback.includes('    |       ^^^^'),
      refused.traceback.join('\n'),
    );

    await run(
      'function check(x: number): number {\n  if (x > 2) throw new RangeError("too big: " + x);\n  return x;\n}',
    );
    const thrown = await fails(
      'interface Point {\n  x: number;\n}\nconst point: Point = { x: 5 };\n// the next line throws\nconst checked = check(point.x);\nchecked',
    );
    assert.deepEqual([thrown.ename, thrown.evalue, thrown.line], ['RangeError', 'too big: 5', 6]);
    const number = /cell \[(\d+)\], line 6/.exec(thrown.traceback.join('\n'))![1];
    assert.deepEqual(thrown.traceback.slice(-2), [
      `    at check (cell [${Number(number) - 1}], line 2)`,
      `    at cell [${number}], line 6`,
    ]);

    const awaited = await fails('await null;\n\nawait Promise.reject(new TypeError("no"));');
    assert.equal(awaited.line, 3);
    assert.equal(
      (await run('try { check(9) } catch (error) { console.log(error.stack) }')).stdout.match(
        /cell \[\d+\], line \d+/g,
      )!.length,
      2,
      'a printed stack too',
    );
  });

  it('says what to do where the error does, and the cause', async () => {
    const { evalue, traceback } = await fails(
      'class KitError extends Error { fix = "do it"; name = "KitError" }\nthrow new KitError("Expected a thing.", { cause: new Error("no such file") });',
    );
    assert.equal(evalue, 'Expected a thing.\ndo it');
    assert.ok(traceback.includes('Cause: Error: no such file'));
  });

  it('fails for a thrown text, and for process.exit, which ends nothing', async () => {
    assert.deepEqual((({ ename, evalue }) => [ename, evalue])(await fails('throw "just text"')), [
      'Thrown string',
      'just text',
    ]);
    assert.match((await fails('process.exit(3)')).evalue, /process\.exit\(3\) was called/);
    assert.equal(await value('1 + 1'), '2');
  });

  it('fails when a promise that nobody awaits is rejected, in the cell or after it', async () => {
    const now = await fails('Promise.reject(new Error("unawaited"));\nconst next = 1;');
    assert.deepEqual([now.evalue, now.line], ['unawaited', 1]);
    assert.match(now.traceback.at(-1)!, /await it/);
    // On a busy machine a short timer may still belong to the cell; a longer one does not.
    for (const delay of [50, 1000, 8000]) {
      let told = (): void => undefined;
      const stray = new Promise<void>((resolve) => (told = resolve));
      const onOutput = ({ header, content }: Message): void => {
        if (header.msg_type === 'stream' && String(content.text).startsWith('Error: from a timer')) told();
      };
      const { status } = await run(`setTimeout(() => { throw new Error("from a timer") }, ${delay});`, { onOutput });
      if (status === 'error') continue;
      await stray;
      break;
    }
    const later = await fails('console.log("not run")');
    assert.equal(later.evalue, 'from a timer');
    assert.match(later.traceback.at(-1)!, /This cell was not run/);
    assert.equal(await value('2'), '2', 'told once');
  });

  it('gives up the cells that were sent with one that fails, and runs those that are sent right after', async () => {
    const sent = await Promise.all(['throw new Error("first")', '"second"', '"third"'].map((code) => run(code)));
    assert.deepEqual(
      sent.map(({ status, error }) => `${status} ${error?.evalue ?? '-'}`),
      ['error first', 'error -', 'error -'],
      'the others are not run',
    );
    assert.equal((await run('throw new Error("again")')).status, 'error');
    assert.equal(await value('"at once"'), 'at once');
  });

  it('answers on after rejections and values that cannot be read', async () => {
    const odd = await fails('Promise.reject(Object.assign(new Error("m"), { message: undefined, code: "E_ODD" })); 0');
    assert.equal(odd.ename, 'Error [E_ODD]');
    await fails(
      'queueMicrotask(() => { throw new Proxy({}, { get() { throw 1; } }); });\nawait new Promise((r) => setTimeout(r, 20));',
    );
    assert.equal(await value('new Proxy({}, { get() { throw 1; }, has() { throw 2; } })'), '{}');
    assert.equal(await value('"on"'), 'on');
  });

  it('gives back the globals that a cell deletes, at once and after an await', async () => {
    const deletion =
      'for (const name of ["console", "process", "Buffer", "setTimeout", "Promise", "JSON", "Object", "performance"]) delete (globalThis as any)[name];\n1';
    assert.equal((await run(deletion)).status, 'ok');
    assert.equal((await run(`await null;\n${deletion}`)).status, 'ok');
    assert.equal(await value('JSON.stringify(Object.keys({ a: 1 }))'), '["a"]');
  });

  it('asks where the client answers, and fails at once where it does not', async () => {
    const asked: [string, boolean][] = [];
    const onInput = (text: string, isPassword: boolean): string => {
      asked.push([text, isPassword]);
      return `answer ${asked.length}`;
    };
    const prompts =
      'import { prompt } from "rifle-kit";\n[await prompt("name? "), ...(await Promise.all([prompt("a"), prompt("b", { password: true })]))].join()';
    assert.equal((await run(prompts, { onInput })).results[0]['text/plain'], 'answer 1,answer 2,answer 3');
    assert.deepEqual(asked, [
      ['name? ', false],
      ['a', false],
      ['b', true],
    ]);
    const lines =
      'import readline from "node:readline/promises";\nconst lines = readline.createInterface({ input: process.stdin, output: process.stdout });\nconst found = [await lines.question("first? "), await lines.question("second? ")];\nlines.close();\nfound.join()';
    const read = await run(lines, { onInput });
    assert.equal(read.results[0]['text/plain'], 'answer 4,answer 5');
    assert.equal(read.stdout, 'first? second? ');
    assert.equal(asked.length, 5, 'nothing is asked after the last question');
    for (const code of ['await prompt("?")', lines])
      assert.equal((await fails(code)).ename, 'KitError [NOTEBOOK_NO_STDIN]');
    assert.equal(await value('require("node:fs").readFileSync(0, "utf8").length'), '0');
  });

  it('opens comms: what the browser changes is the state of the widget, and shown below its cell', async () => {
    const messages: Message[] = [];
    let heard = (): void => undefined;
    const onOutput = (message: Message): void => {
      messages.push(message);
      heard();
    };
    const until = async (count: number): Promise<void> => {
      while (messages.length < count) await new Promise<void>((resolve) => (heard = resolve));
    };
    const code = `import { liveView, slider } from 'rifle-kit';
const least = slider({ label: 'least', value: 0.5 });
const view = liveView();
await view.show('above 0.5');
least.onChange(({ value }) => value > 0.9 ? Promise.reject(new Error('too high')) : view.show('above ' + value));`;
    // A client that answers is a person, to whom a widget is shown.
    assert.equal((await kernel.execute(code, { onOutput, onInput: () => '' })).status, 'ok');
    const opened = messages.find(({ header }) => header.msg_type === 'comm_open')!;
    const id = opened.content.comm_id as string;
    const { state } = opened.content.data as { state: Record<string, unknown> };
    assert.deepEqual(
      [opened.content.target_name, state._model_name, state.value, state.max],
      ['jupyter.widget', 'AnyModel', 0.5, 1],
    );
    const shown = (await run('least')).results[0];
    assert.deepEqual(shown['application/vnd.jupyter.widget-view+json'], {
      version_major: 2,
      version_minor: 0,
      model_id: id,
    });
    const { comms } = await kernel.ask('comm_info', { target_name: 'jupyter.widget' });
    assert.deepEqual(comms, { [id]: { target_name: 'jupyter.widget' } });

    const { send, shell } = kernel as unknown as {
      shell: object;
      send(socket: object, type: string, content: object): Promise<void>;
    };
    const change = (value: number): Promise<void> =>
      send.call(kernel, shell, 'comm_msg', { comm_id: id, data: { method: 'update', state: { value, _esm: 'x' } } });
    messages.length = 0;
    await change(0.75);
    await until(1);
    const [update] = messages;
    assert.equal(update.header.msg_type, 'update_display_data'); // the echo belongs to the browser's message
    assert.deepEqual(update.content.data, { 'text/plain': 'above 0.75' });
    assert.equal(await value('least.state.value'), '0.75');
    await change(0.95);
    await until(2);
    assert.match(String(messages[1].content.text), /^Error: too high/);
    assert.equal(await value('least.state.value'), '0.95', 'a failure of a listener stops no cell');

    await send.call(kernel, shell, 'comm_close', { comm_id: id, data: {} });
    assert.deepEqual((await kernel.ask('comm_info')).comms, {});
  });

  it('shows what children print by inherited descriptors, in order', async () => {
    const { stdout, stderr } = await run(
      'import { execSync, spawn } from "node:child_process";\nimport { writeSync } from "node:fs";\nexecSync("echo one; echo error >&2", { stdio: "inherit" });\nwriteSync(1, "two\\n");\nconsole.log("three");\nawait new Promise((r) => spawn("echo", ["four"], { stdio: "inherit" }).on("exit", r));',
    );
    assert.deepEqual([stdout, stderr], ['one\ntwo\nthree\nfour\n', 'error\n']);
  });

  it('sends bytes as base64 and half characters as the replacement character', async () => {
    const { results } = await run(
      '({ [Symbol.for("Jupyter.display")]: () => ({ "image/png": Buffer.from([1, 2, 3]) }) })',
    );
    assert.equal(results[0]['image/png'], 'AQID');
    assert.equal((await run('console.log("half " + "😀".slice(0, 1));')).stdout, 'half \ufffd\n');
  });

  it('counts no cell without history, and evaluates user expressions', async () => {
    const { number } = await run('const counted = 2;');
    const content = {
      code: 'counted',
      silent: false,
      store_history: false,
      user_expressions: { sum: 'counted + 1', bad: 'missing' },
    };
    const reply = await kernel.ask('execute', content);
    assert.equal(reply.execution_count, number);
    const { sum, bad } = reply.user_expressions as Record<string, { status: string; data: object; ename: string }>;
    assert.deepEqual(
      [sum.status, sum.data, bad.status, bad.ename],
      ['ok', { 'text/plain': '3' }, 'error', 'TypeScript'],
    );
  });

  it('stops at an interrupt: what waits, what loops, what loops after an await', async () => {
    for (const [code, interrupts] of [
      ['console.log("go"); await new Promise(() => undefined)', 1],
      ['console.log("go"); while (true) {}', 1],
      ['await new Promise((resolve) => setTimeout(resolve, 10));\nconsole.log("go");\nwhile (true) {}', 2],
    ] as const) {
      let ended = false;
      const cell = fails(code, {
        onOutput: ({ header }) => {
          if (header.msg_type !== 'stream') return;
          void (async () => {
            for (let i = 0; i < interrupts && !ended; i++) {
              await kernel.interrupt();
              await new Promise((resolve) => setTimeout(resolve, 300));
            }
          })();
        },
      });
      assert.equal((await cell).ename, 'Interrupted', code);
      ended = true;
    }
    assert.equal(await value('"alive"'), 'alive');
  });

  it('cuts what a cell prints, with a note', async () => {
    const { stdout, stderr } = await run('for (let i = 0; i < 1000; i++) console.log(`${i} ${"x".repeat(1e5)}`);');
    assert.ok(stdout.length > 900_000 && stdout.length < 1_300_000, String(stdout.length));
    assert.match(stderr, /… (98|99)\.\d MB left out here/);
    assert.match(stdout, /^0 xxx/);
    assert.match(stdout, /x\n$/);
    assert.equal((await run('console.log("short")')).stdout, 'short\n');
  });

  it('imports the kit where none is installed, and finds a file beside the notebook', async () => {
    fs.writeFileSync(path.join(folder, 'beside.ts'), 'export const half = (x: number): number => x / 2;\n');
    assert.equal(await value('import { half } from "./beside";\nhalf(3)'), '1.5');
    assert.equal((await fails('import { halve } from "./beside";')).ename, 'TypeScript');
    assert.equal(
      (
        await run(
          'import { runsFrame } from "rifle-kit";\nconst named = () => runsFrame([]).loc({ columns: ["run"] });\nconst frame = named;',
        )
      ).error,
      undefined,
      'a type of a package of the kit has a name',
    );
    assert.equal(
      await value('import { methods } from "rifle-kit";\nmethods.get("rifle").reset?.reinitializations'),
      '1',
    );
  });

  it('shows a tensor by shape, dtype and a corner, a frame at its true width, and disposes of what a cell made before', async () => {
    assert.equal(
      await value('import { memory, tf } from "rifle-kit";\ntf.tensor2d([[1, 2], [3, 4.5]])'),
      'Tensor float32 [2, 2], 4 values:\n    1    2\n    3  4.5',
    );
    assert.match(
      String(await value('tf.zeros([2, 3, 9, 9], "int32")')),
      /^Tensor int32 \[2, 3, 9, 9\], 486 values; at \[0, 0\]:\n( {2}0){6} {2}…\n/,
    );
    const before = Number(await value('memory().tensors'));
    for (let i = 0; i < 3; i++)
      await run('const image = tf.ones([100, 100]);\nconst weight = tf.variable(tf.ones([3]));', { cellId: 'again' });
    assert.equal(
      Number(await value('memory().tensors')),
      before + 3,
      'two that are held, and the one that became the variable',
    );
    const mine = String(await value('memory()'))
      .split('\n')
      .find((line) => line.startsWith('cell') && line.includes(' 3 '));
    assert.match(String(mine), /^cell \[\d+\] {2}3 {2}0\.0 MB$/);
    await run('const holder = { list: [image] };');
    await run('const image = tf.ones([100, 100]);\nconst weight = tf.variable(tf.ones([3]));', { cellId: 'again' });
    assert.equal(await value('holder.list[0].isDisposed'), 'false', 'what another cell holds stays');
    const { results } = await run(
      'import { DataFrame } from "danfojs-node";\nnew DataFrame(Array.from({ length: 40 }, (_, i) => Object.fromEntries(Array.from({ length: 25 }, (_, c) => [`column${c}`, i * c]))))',
    );
    assert.match(String(results[0]['text/html']), /40 rows × 25 columns, the first 20 shown/);
    assert.equal(String(results[0]['text/html']).match(/column\d+/g)!.length, 25);
  });

  it('frees names of variables for a cell that runs again, and no tensor that something still uses', async () => {
    const named = 'const w = tf.variable(tf.zeros([3]), true, "weights");\nw.shape[0]';
    for (let i = 0; i < 2; i++) assert.equal((await run(named, { cellId: 'named' })).results[0]['text/plain'], '3');
    await run(
      'class Store { #all: any[] = []; add(t: any) { this.#all.push(t); } get gone() { return this.#all.map((t) => t.isDisposed); } }\nconst store = new Store();\nconst closures: (() => any)[] = [];',
    );
    const layer =
      'class Same extends tf.layers.Layer { static className = "Same"; }\ntf.serialization.registerClass(Same as any); "registered"';
    for (let i = 0; i < 2; i++)
      assert.equal((await run(layer, { cellId: 'layer' })).results[0]['text/plain'], 'registered');
    const adding = 'const made = tf.ones([3]);\nstore.add(made);\nclosures.push(() => made);';
    for (let i = 0; i < 2; i++) await run(adding, { cellId: 'adding' });
    assert.equal(
      await value('[...store.gone, ...closures.map((f) => f().isDisposed)].join()'),
      'false,false,false,false',
    );
  });

  it('completes, and shows doc comments', async () => {
    const { matches, metadata } = await kernel.ask('complete', { code: 'tf.onesL', cursor_pos: 8 });
    assert.deepEqual(matches, ['onesLike', 'OnesLike']);
    assert.deepEqual(
      (metadata as { _jupyter_types_experimental: { type: string }[] })._jupyter_types_experimental.map(
        ({ type }) => type,
      ),
      ['module', 'constant'],
    );
    const code = '"🎈"; memory()';
    const { found, data } = await kernel.ask('inspect', { code, cursor_pos: [...code].length - 3 });
    assert.equal(found, true);
    assert.match(
      (data as Record<string, string>)['text/markdown'],
      /memory\(\): MemoryReport[\s\S]*The tensors of this process/,
    );
    assert.equal((await kernel.ask('inspect', { code: '   ', cursor_pos: 1 })).found, false);
    assert.deepEqual(await kernel.ask('is_complete', { code: 'if (x) {' }), { status: 'incomplete', indent: '  ' });
    const info = await kernel.ask('kernel_info');
    assert.deepEqual([info.status, (info.language_info as { name: string }).name], ['ok', 'typescript']);
  });

  it('says so when a port is taken or there is no connection file', async () => {
    const main = path.join(__dirname, '..', '..', 'src', 'notebook', 'kernel', 'main.js');
    const server = net.createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as net.AddressInfo).port)),
    );
    try {
      const file = path.join(folder, 'taken.json');
      fs.writeFileSync(
        file,
        JSON.stringify({
          transport: 'tcp',
          ip: '127.0.0.1',
          key: 'k',
          shell_port: port,
          iopub_port: 0,
          stdin_port: 0,
          control_port: 0,
          hb_port: 0,
        }),
      );
      const taken = spawnSync(process.execPath, [main, file], { encoding: 'utf8', timeout: 30_000 });
      assert.equal(taken.status, 1, taken.stderr);
      assert.match(taken.stderr, new RegExp(`port ${port}: Address already in use.*start the kernel again`));
    } finally {
      server.close();
    }
    const none = spawnSync(process.execPath, [main, path.join(folder, 'none.json')], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    assert.deepEqual([none.status, /none\.json cannot be read/.test(none.stderr)], [1, true]);
  });
});
