// `rifle new`: the study that it makes installs from the packed kit alone, and its own test passes.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { backbones } from '../../src/backbones/backbone';
import { datasets } from '../../src/data/catalog';
import { type KitError } from '../../src/base/errors';
import { kitHome, packageRoot } from '../../src/base/home';
import { Kernel } from '../../src/notebook/runner/kernel-client';
import { joinText, readNotebook } from '../../src/notebook/runner/format';
import { newStudy } from '../../src/notebook/study';
import { scales } from '../../src/studies/rifle/scales';

describe("a study of one's own", function () {
  this.timeout(600_000);
  let folder: string;
  let study: string;
  before(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-study-')));
    study = path.join(folder, 'My study');
    await newStudy(study);
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('is made whole, and not over what is there', async () => {
    const found = fs
      .readdirSync(study, { recursive: true })
      .map(String)
      .filter((name) => !name.startsWith('vendor/shims'));
    for (const name of [
      '.github/workflows/notebooks.yml',
      '.gitignore',
      '.npmrc',
      'README.md',
      'notebooks/study.ipynb',
      'package.json',
      'test/notebooks.test.mjs',
    ])
      assert.ok(found.includes(name), name);
    assert.equal(
      (JSON.parse(fs.readFileSync(path.join(study, 'package.json'), 'utf8')) as { name: string }).name,
      'my-study',
    );
    for (const name of ['package.json', 'README.md', 'notebooks/study.ipynb'])
      assert.doesNotMatch(fs.readFileSync(path.join(study, name), 'utf8'), /\{\{/);
    assert.equal(
      readNotebook(path.join(study, 'notebooks', 'study.ipynb')).cells.filter((cell) => cell.cell_type === 'code')
        .length,
      5,
    );
    await assert.rejects(newStudy(study), (error: KitError) => /found \d+ files in it/.test(error.message));
  });

  it('installs from the packed kit, passes its test, and its cells run in a blank notebook', async function () {
    const { dataset, backbone } = scales.smoke.spec;
    if (datasets.state(dataset) !== 'ready' || (await backbones.state(backbone)) !== 'ready') this.skip();
    execFileSync('npm', ['install', '--prefer-offline', '--loglevel=error'], { cwd: study, stdio: 'pipe' });
    // What the set-up of the study would fetch and compile again is lent by the kit that is tested; the steps have
    // tests of their own.
    const own = (root: string, ...parts: string[]): string =>
      path.join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu', ...parts);
    fs.symlinkSync(fs.realpathSync(own(packageRoot(), 'deps')), own(study, 'deps'));
    fs.cpSync(own(packageRoot(), 'lib', 'napi-v8'), own(study, 'lib', 'napi-v8'), { recursive: true });
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      RIFLE_HOME: kitHome(),
      RIFLE_RUNS: path.join(folder, 'runs'),
      RIFLE_SCALE: 'smoke',
    };

    const check = spawnSync(process.execPath, ['node_modules/rifle-kit/setup/main.mjs', '--check', '--json'], {
      cwd: study,
      env: { ...env, RIFLE_HOME: '' },
      encoding: 'utf8',
    });
    const { steps } = JSON.parse(check.stdout) as { steps: { name: string; state: string }[] };
    assert.deepEqual(
      steps.map(({ name }) => name),
      ['prerequisites', 'python', 'library', 'addon', 'kernel', 'weights', 'data'],
      'npm has done the rest',
    );
    assert.deepEqual(
      steps.filter(({ state }) => state === 'skipped').map(({ name }) => name),
      ['library', 'addon'],
      'a home of its own, which is empty',
    );

    const { status, stdout, stderr } = spawnSync(process.execPath, ['--test', 'test/notebooks.test.mjs'], {
      cwd: study,
      env,
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /pass 1\b/);

    // The kernel of this kit, a notebook of that study: the kit beside the notebook is the one that is imported.
    const kernel = await Kernel.start({ cwd: path.join(study, 'notebooks'), env: env as Record<string, string> });
    try {
      const cells = readNotebook(path.join(study, 'notebooks', 'study.ipynb')).cells.filter(
        (cell) => cell.cell_type === 'code',
      );
      for (const [i, cell] of cells.entries()) {
        const said: string[] = [];
        const { status: state } = await kernel.execute(joinText(cell.source), {
          onOutput: ({ content }) => said.push(JSON.stringify(content).slice(0, 2000)),
        });
        assert.equal(state, 'ok', `cell ${i + 1}: ${said.join('\n')}`);
      }
      let place = '';
      await kernel.execute("require.resolve('rifle-kit')", {
        onOutput: ({ content }) =>
          (place = String((content.data as Record<string, string> | undefined)?.['text/plain'] ?? place)),
      });
      assert.ok(place.startsWith(path.join(study, 'node_modules', 'rifle-kit')), place);
    } finally {
      await kernel.stop();
    }
  });
});
