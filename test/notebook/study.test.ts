// `rifle new`: the study that it makes installs from the packed kit alone, and its own test passes.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { backbones } from '../../src/backbones/backbone';
import { datasets } from '../../src/data/catalog';
import { kitHome, packageRoot } from '../../src/base/home';
import { Kernel } from '../../src/notebook/runner/kernel-client';
import { joinText, readNotebook } from '../../src/notebook/runner/format';
import type { SweepPlan } from '../../src/studies/sweep';
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
    const found = fs.readdirSync(study, { recursive: true }).map(String);
    for (const name of [
      '.github/workflows/notebooks.yml',
      '.gitignore',
      '.npmrc',
      'README.md',
      'extensions/cutout.ts',
      'extensions/study.ts',
      'notebooks/study.ipynb',
      'package.json',
      'test/extensions.test.mjs',
      'test/notebooks.test.mjs',
    ])
      assert.ok(found.includes(name), name);
    assert.equal(
      (JSON.parse(fs.readFileSync(path.join(study, 'package.json'), 'utf8')) as { name: string }).name,
      'my-study',
    );
    for (const name of ['package.json', 'README.md', 'notebooks/study.ipynb', 'extensions/cutout.ts'])
      assert.doesNotMatch(fs.readFileSync(path.join(study, name), 'utf8'), /\{\{/);
    assert.equal(
      readNotebook(path.join(study, 'notebooks', 'study.ipynb')).cells.filter((cell) => cell.cell_type === 'code')
        .length,
      5,
    );
    await assert.rejects(newStudy(study), { code: 'STUDY_FOLDER_NOT_EMPTY' });
  });

  it('installs with npm alone, install scripts included, without overrides', () => {
    const { dependencies, overrides } = JSON.parse(fs.readFileSync(path.join(study, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
      overrides?: object;
    };
    assert.deepEqual([Object.keys(dependencies), overrides], [['rifle-kit'], undefined]);
    execFileSync('npm', ['install', '--prefer-offline', '--ignore-scripts=false', '--loglevel=error'], {
      cwd: study,
      stdio: 'pipe',
    });
  });

  it('type-checks in a project of any resolution', () => {
    fs.writeFileSync(
      path.join(study, 'typed.ts'),
      `import { plan, tf, type RunSpecInput } from 'rifle-kit';
import { compile } from 'rifle-kit/engine';
import { datasets } from 'rifle-kit/data';
import { backbones } from 'rifle-kit/backbones';
import { mean } from 'rifle-kit/analysis';
import { runsFrame, type Table } from 'rifle-kit/report';
import * as extensions from 'rifle-kit/extend';
import './extensions/feature-norm';
import './extensions/study';
import './extensions/warm-up';
const spec: RunSpecInput = { dataset: datasets.list()[0].name, backbone: backbones.list()[0].id };
const x: tf.Tensor2D = tf.zeros([1, mean([1, 3])]);
export const all = [plan, spec, x, compile, runsFrame([]), extensions] satisfies unknown[];
export let table: Table;
`,
    );
    const compiler = path.join(packageRoot(), 'node_modules', 'typescript', 'bin', 'tsc');
    for (const [module, resolution] of [
      ['node16', 'node16'],
      ['esnext', 'bundler'],
      ['commonjs', 'node10'],
    ]) {
      const { status, stdout } = spawnSync(
        process.execPath,
        // prettier-ignore
        [compiler, '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--types', 'node',
         '--typeRoots', path.join(packageRoot(), 'node_modules', '@types'),
         '--module', module, '--moduleResolution', resolution, 'typed.ts'],
        { cwd: study, encoding: 'utf8' },
      );
      assert.equal(status, 0, `${resolution}: ${stdout}`);
    }
  });

  it('says which command sets the machine up', () => {
    const rifle = path.join(study, 'node_modules', '.bin', 'rifle');
    const env = { ...process.env, RIFLE_HOME: '' };
    const { status, stdout } = spawnSync(rifle, ['doctor', '--json'], { cwd: study, env, encoding: 'utf8' });
    assert.equal(status, 1);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; ok: boolean; fix: string }[] };
    assert.deepEqual(
      checks.filter(({ fix }) => fix === 'npx rifle setup').map(({ name }) => name),
      ['tensorflow', 'jupyter', 'kernel'],
    );
    const program = "try { require('rifle-kit').tf.add(1, 2); } catch ({ code, fix }) { console.log(code, fix); }";
    const said = spawnSync(process.execPath, ['-e', program], { cwd: study, env, encoding: 'utf8' }).stdout;
    assert.equal(said.trim(), 'ENGINE_NOT_LOADED Run `npx rifle setup`.');
  });

  it('passes its test, and its cells run in a blank notebook', async function () {
    const { dataset, backbone } = scales.smoke.spec;
    if (datasets.state(dataset) !== 'ready' || (await backbones.state(backbone)) !== 'ready') this.skip();
    // What the set-up of the study would fetch and compile again is lent by the kit that is tested; the steps have
    // tests of their own.
    const own = (root: string, ...parts: string[]): string =>
      path.join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu', ...parts);
    const installed = path.join(study, 'node_modules', 'rifle-kit');
    fs.symlinkSync(fs.realpathSync(own(packageRoot(), 'deps')), own(installed, 'deps'));
    fs.cpSync(own(packageRoot(), 'lib'), own(installed, 'lib'), { recursive: true });
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

    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--test', 'test/extensions.test.mjs', 'test/notebooks.test.mjs'],
      { cwd: study, env, encoding: 'utf8' },
    );
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /pass 4\b/, 'three extensions and a notebook');

    const rifle = path.join(study, 'node_modules', '.bin', 'rifle');
    const args = ['sweep', '--study', 'my-study/cutout', '--scale', 'smoke', '--dry-run', '--json'];
    const sweep = spawnSync(rifle, args, { cwd: path.join(study, 'notebooks'), env, encoding: 'utf8' });
    assert.equal(sweep.status, 0, sweep.stderr);
    assert.match(sweep.stderr, /^Extensions: \.\.\/extensions\/cutout\.ts, /m);
    const { rows } = JSON.parse(sweep.stdout) as SweepPlan;
    assert.deepEqual(
      rows.map(({ method }) => method),
      ['fine-tuning', 'my-study/cutout'],
    );

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
