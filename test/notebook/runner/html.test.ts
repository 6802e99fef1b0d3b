// Pages of notebooks need nothing of other machines. nbconvert itself is tried by `rifle notebooks --html` below.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { kitHome } from '../../../src/base/home';
import { withoutRemoteScripts, writeHtml } from '../../../src/notebook/runner/html';

describe('pages of notebooks', function () {
  this.timeout(120_000);

  it('have no scripts of other machines', () => {
    const page =
      '<p>a</p><script>own()</script><script src="https://x.org/a.js"> </script>b<script type="module">\nimport m from "https://cdnjs.x/m.mjs";</script>c<script>"https://www.w3.org"</script>d<script src=//x>';
    const kept = '<p>a</p><script>own()</script>bc<script>"https://www.w3.org"</script>d<script src=//x>';
    assert.equal(withoutRemoteScripts(page), kept);
  });

  it('have the figures of the file in them', async function () {
    if (!fs.existsSync(kitHome('venv', 'bin', 'python'))) this.skip(); // `npm run setup` makes it
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle html ü-'));
    try {
      const data = { 'image/svg+xml': '<svg xmlns="http://www.w3.org/2000/svg"/>', 'text/plain': 'Figure' };
      const cell = { id: 'a', cell_type: 'code', metadata: {}, source: 'figure', execution_count: 1 };
      const outputs = [{ output_type: 'display_data', data, metadata: {} }];
      const file = path.join(folder, 'one.ipynb');
      fs.writeFileSync(
        file,
        JSON.stringify({ cells: [{ ...cell, outputs }], metadata: {}, nbformat: 4, nbformat_minor: 5 }),
      );
      await writeHtml([file], path.join(folder, 'pages'));
      const page = fs.readFileSync(path.join(folder, 'pages', 'one.html'), 'utf8');
      assert.match(page, /src="data:image\/svg\+xml;base64,/);
      assert.doesNotMatch(page, /src="https?:|cdnjs/);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
