// The notebook that everybody opens first, executed headless at scale smoke on the real data and engine.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { backbones } from '../../src/backbones/backbone';
import { datasets } from '../../src/data/catalog';
import { packageRoot } from '../../src/base/home';
import { joinText, readNotebook } from '../../src/notebook/runner/format';
import { describeFailure, runNotebook } from '../../src/notebook/runner/runner';
import { scales } from '../../src/studies/rifle/scales';

const file = path.join(packageRoot(), 'notebooks', '00-start.ipynb');

describe('notebooks/00-start.ipynb', () => {
  it('states claim, command, cost and expectation first, and imports from the kit only', () => {
    const { cells, metadata } = readNotebook(file);
    assert.equal(metadata.kernelspec?.name, 'rifle', 'the name under which the set-up registers the kernel');
    const first = joinText(cells[0].source);
    for (const part of ['The claim', 'npx rifle notebooks', ...Object.keys(scales), 'cost', 'What to expect'])
      assert.ok(first.includes(part), part);
    const code = cells.filter((cell) => cell.cell_type === 'code');
    assert.ok(code.some((cell) => cell.metadata.tags?.includes('parameters')));
    for (const cell of code) {
      const source = joinText(cell.source);
      for (const [, from] of source.matchAll(/\bfrom\s+['"]([^'"]+)['"]|\brequire\(/g)) assert.equal(from, 'rifle-kit');
      assert.ok(
        source.split('\n').length <= 8 && source.split('\n').every((line) => line.length <= 100),
        `a short cell: ${source}`,
      );
    }
  });

  it('runs from data to report at scale smoke', async function () {
    this.timeout(900_000);
    const { dataset, backbone } = scales.smoke.spec;
    if (datasets.state(dataset) !== 'ready' || (await backbones.state(backbone)) !== 'ready') this.skip();
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-start-'));
    try {
      const out = path.join(folder, 'executed.ipynb');
      const report = path.join(path.dirname(file), 'reports', '00-start-smoke.html');
      fs.rmSync(report, { force: true });
      const runs = path.join(folder, 'runs'); // a store of its own: it trains every time, and nothing gets among the user's runs
      const result = await runNotebook(file, {
        out,
        env: { RIFLE_SCALE: 'smoke', RIFLE_RUNS: runs },
        timeoutSeconds: 600,
      });
      assert.equal(result.status, 'ok', result.failure ? describeFailure(result.failure) : '');
      assert.equal(fs.readdirSync(runs).length, 4, 'two methods, two seeds');
      const outputs = readNotebook(out).cells.flatMap((cell) => cell.outputs ?? []);
      const stderr = outputs.filter((output) => output.output_type === 'stream' && output.name === 'stderr');
      assert.deepEqual(stderr, [], 'nothing is printed on stderr');
      const bundles = outputs.flatMap((output) => ('data' in output ? [output.data] : []));
      const html = bundles.map((bundle) => joinText((bundle['text/html'] ?? '') as string[])).join('\n');
      for (const part of [
        'all runs: 8 epochs',
        '4 rows × 5 columns',
        'Not converged',
        'not at hand',
        'Verdict on the mean paired difference',
        '<img alt="monocrystalline functional',
      ])
        assert.ok(html.includes(part), part);
      assert.equal(
        bundles.filter((bundle) => 'image/svg+xml' in bundle && 'application/vnd.plotly.v1+json' in bundle).length,
        2,
      );
      assert.match(fs.readFileSync(report, 'utf8'), /at scale smoke/);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
});
