// Every notebook of the kit: what its cells are like, and that it runs from data to result at scale smoke on the real
// data and engine.
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
import '../../src/studies/built-in';
import { studies } from '../../src/studies/study';

const folder = path.join(packageRoot(), 'notebooks');
const names = fs
  .readdirSync(folder)
  .filter((name) => name.endsWith('.ipynb'))
  .sort();
const own = names.filter((name) => name !== '00-start.ipynb'); // which start.test.ts runs

describe('the notebooks of tables and figures', () => {
  it('there is one for each study', () => {
    for (const { name } of studies.list())
      if (name !== 'choice')
        assert.ok(
          names.some((file) => file.includes(name)),
          name,
        );
  });

  for (const name of own) {
    it(`${name} states claim, command, cost and expectation first, and has short cells that import from the kit only`, () => {
      const { cells, metadata } = readNotebook(path.join(folder, name));
      assert.equal(metadata.kernelspec?.name, 'rifle');
      const first = joinText(cells[0].source);
      const wanted = name.includes('new-study')
        ? ['The command']
        : [
            'The claim',
            'The command',
            'cost',
            'What to expect',
            ...(name.includes('t1') ? ['smoke'] : Object.keys(scales)),
          ];
      for (const part of wanted) assert.ok(first.includes(part), part);
      assert.ok(cells.some((cell) => cell.metadata.tags?.includes('parameters')));
      for (const cell of cells.filter((each) => each.cell_type === 'code')) {
        const lines = joinText(cell.source).split('\n');
        for (const [, from] of cell.source.toString().matchAll(/\bfrom\s+['"]([^'"]+)['"]|\brequire\(/g))
          assert.ok(from === 'rifle-kit' || from.startsWith('node:'), from);
        assert.ok(lines.length <= 12 && lines.every((line) => line.length <= 100), `a short cell: ${lines.join('\n')}`);
      }
    });
  }

  describe('at scale smoke', function () {
    this.timeout(900_000);
    const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-notebooks-'));
    after(() => fs.rmSync(scratch, { recursive: true, force: true }));
    before(async function () {
      const ready = ['efficientnet_lite0.tf_in1k', 'mobilenet_v1.tf_in1k'].map(async (id) => {
        if ((await backbones.state(id)) !== 'ready') await backbones.fetch(id);
      });
      await Promise.all(ready);
      if (datasets.state('elpv') !== 'ready') this.skip();
    });

    for (const name of own) {
      it(`${name} runs to its end`, async () => {
        const out = path.join(scratch, name);
        const { status, failure } = await runNotebook(path.join(folder, name), {
          out,
          env: { RIFLE_SCALE: 'smoke', RIFLE_RUNS: path.join(scratch, 'runs') },
          timeoutSeconds: 600,
        });
        assert.equal(status, 'ok', failure ? describeFailure(failure) : '');
        const outputs = readNotebook(out).cells.flatMap((cell) => cell.outputs ?? []);
        assert.deepEqual(
          outputs.filter((output) => output.output_type === 'stream' && output.name === 'stderr'),
          [],
          'nothing is printed on stderr',
        );
        const bundles = outputs.flatMap((output) => ('data' in output ? [output.data] : []));
        const shown = (type: string): number => bundles.filter((bundle) => type in bundle).length;
        assert.ok(shown('text/html') > 0, 'a table');
        if (/-f\d/.test(name))
          assert.ok(
            shown('image/svg+xml') > 0 && shown('application/vnd.plotly.v1+json') === shown('image/svg+xml'),
            'a figure, as SVG and for plotly',
          );
        if (/-(t[2-5]|f[1245])-/.test(name)) assert.match(JSON.stringify(bundles), /Verdict|[Vv]erdict/);
      });
    }
  });
});
