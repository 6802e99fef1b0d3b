import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { pendingSteps, runSteps } from '../../setup/run.mjs';
import { SetupError } from '../../setup/setup-error.mjs';
import { isStamped, stamp } from '../../setup/system/stamp.mjs';
import { recorder, scratchFolder } from './scratch.mjs';

describe('runSteps', () => {
  const scratch = scratchFolder();
  /** A step that writes a file and stamps its folder, as the real ones do. */
  const writing = (name, inputs) => ({
    name,
    title: name,
    what: `writes ${name}`,
    seconds: 1,
    runs: 0,
    folder: () => path.join(scratch.path, name),
    done() {
      return isStamped(this.folder(), inputs.value) && fs.existsSync(path.join(this.folder(), 'made')) ? 'there' : null;
    },
    async run() {
      this.runs += 1;
      fs.mkdirSync(this.folder(), { recursive: true });
      fs.writeFileSync(path.join(this.folder(), 'made'), '');
      stamp(this.folder(), inputs.value);
      return 'made';
    },
  });
  const go = async (list, options) => {
    const ctx = { force: options?.force ?? false };
    ctx.pending = pendingSteps(list, ctx);
    const show = recorder();
    return { ...(await runSteps(list, ctx, show, options)), shown: show.lines };
  };

  it('runs a step that is not done, and skips it the next time', async () => {
    const list = [writing('one', { value: 1 }), writing('two', { value: 2 })];
    const states = async () => (await go(list)).steps.map(({ state }) => state);
    assert.deepEqual(await states(), ['done', 'done']);
    assert.deepEqual(await states(), ['skipped', 'skipped']);
    assert.deepEqual(
      list.map(({ runs }) => runs),
      [1, 1],
    );
  });

  it('runs a step again when its inputs changed or its files are missing', async () => {
    const inputs = { value: 'old' };
    const step = writing('one', inputs);
    await go([step]);
    inputs.value = 'new';
    await go([step]);
    assert.equal(step.runs, 2);
    fs.rmSync(path.join(step.folder(), 'made')); // its stamp still stands
    await go([step]);
    assert.equal(step.runs, 3);
    await go([step], { force: true });
    assert.equal(step.runs, 4);
  });

  it('stops at the first step that fails, and reports its fix', async () => {
    const failing = {
      ...writing('broken', { value: 1 }),
      run: async () => Promise.reject(new SetupError('It broke.', { fix: 'Glue it.' })),
    };
    const after = writing('after', { value: 1 });
    const { ok, steps: report, shown } = await go([writing('one', { value: 1 }), failing, after]);
    assert.equal(ok, false);
    assert.deepEqual(
      report.map(({ name, state, fix }) => [name, state, fix]),
      [
        ['one', 'done', undefined],
        ['broken', 'failed', 'Glue it.'],
      ],
    );
    assert.equal(after.runs, 0);
    assert.deepEqual(shown.at(-1), { kind: 'failed', title: 'broken', detail: 'It broke.', fix: 'Glue it.' });
  });

  it('reports a full disk', async () => {
    const full = {
      ...writing('one', { value: 1 }),
      run: async () => Promise.reject(Object.assign(new Error('write'), { code: 'ENOSPC' })),
    };
    const { steps: report } = await go([full]);
    assert.equal(report[0].detail, 'The disk is full.');
  });

  it('with checkOnly runs no step', async () => {
    const step = writing('one', { value: 1 });
    const { ok, steps: report } = await go([step], { checkOnly: true });
    assert.equal(ok, false);
    assert.equal(report[0].state, 'to do');
    assert.equal(step.runs, 0);
  });
});
