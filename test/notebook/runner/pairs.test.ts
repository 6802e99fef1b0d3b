// The notebooks of the kit and their texts say the same, and what is kept of outputs would be the same on another
// machine.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { kitHome, packageRoot } from '../../../src/base/home';
import { joinText, readNotebook } from '../../../src/notebook/runner/format';
import { comparePairs, textOf } from '../../../src/notebook/runner/pairs';

const folder = path.join(packageRoot(), 'notebooks');
const notebooks = fs
  .readdirSync(folder)
  .filter((name) => name.endsWith('.ipynb'))
  .map((name) => path.join(folder, name));

describe('the notebooks', function () {
  this.timeout(180_000);

  it('say what their texts say; a notebook that is changed alone is found', async function () {
    if (!fs.existsSync(kitHome('venv', 'bin', 'python'))) this.skip(); // `npm run setup` makes it
    const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-pairs-'));
    try {
      const changed = path.join(scratch, path.basename(notebooks[0]));
      fs.writeFileSync(
        changed,
        fs
          .readFileSync(notebooks[0], 'utf8')
          .replace(
            '"cells": [',
            '"cells": [{"cell_type": "code", "id": "new", "metadata": {}, "source": "1 + 1", "outputs": [], "execution_count": null},',
          ),
      );
      fs.mkdirSync(path.join(scratch, 'text'));
      fs.copyFileSync(textOf(notebooks[0]), textOf(changed));
      const alone = path.join(scratch, 'alone.ipynb');
      fs.copyFileSync(notebooks[0], alone);
      const pairs = await comparePairs([...notebooks, changed, alone]);
      for (const { notebook, state, difference } of pairs.slice(0, -2))
        assert.equal(state, 'same', `${notebook}: ${difference}. After a change: npx rifle notebooks --write-pairs`);
      assert.deepEqual(
        pairs.slice(-2).map(({ state }) => state),
        ['differs', 'missing'],
      );
      assert.match(
        pairs.at(-2)!.difference,
        /^line \d+ of the text is "\/\/ %% \[markdown\]", the notebook has "\/\/ %%"/,
      );
      assert.deepEqual(
        (await comparePairs([changed], { write: true })).map(({ state }) => state),
        ['written'],
      );
      assert.match(fs.readFileSync(textOf(changed), 'utf8'), /\/\/ %%\n1 \+ 1\n/);
    } finally {
      fs.rmSync(scratch, { recursive: true, force: true });
    }
  });

  it('keep no paths, host names, moments or durations in their outputs', () => {
    const pictures = /[A-Za-z0-9+/=]{200,}/g; // in base64, where any short name may stand
    const foreign = new RegExp(
      [packageRoot(), os.homedir(), os.tmpdir(), os.hostname()]
        .map((text) => `(?<!\\w)${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?!\\w)`)
        .join('|') + '|\\d{4}-\\d\\d-\\d\\dT\\d\\d:|/home/|/Users/|\\d s left',
    );
    for (const file of notebooks) {
      const { cells } = readNotebook(file);
      for (const { id, outputs = [], metadata } of cells) {
        assert.doesNotMatch(
          outputs
            .map((output) => JSON.stringify(output))
            .join('\n')
            .replace(pictures, ''),
          foreign,
          `${file}, cell ${id}`,
        );
        assert.ok(!('execution' in metadata), `${file}, cell ${id}: times of execution`);
        assert.ok(
          !outputs.some(
            (output) =>
              output.output_type === 'error' ||
              (output.output_type === 'stream' && joinText(output.text).includes('\r')),
          ),
          `${file}, cell ${id}`,
        );
      }
    }
  });
});
