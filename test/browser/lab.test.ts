// A person at JupyterLab: opens 00-start, runs all cells, looks, completes, interrupts a training and goes on. A real
// server, a real browser.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { backbones } from '../../src/backbones/backbone';
import { datasets } from '../../src/data/catalog';
import { readNotebook } from '../../src/notebook/runner/format';
import { kitHome, packageRoot } from '../../src/base/home';
import { startLab, type Lab } from '../../src/notebook/lab';
import { scales } from '../../src/studies/rifle/scales';
import { CHROMIUM_FLAGS, findChromium } from './chromium';

/** A cell with a slider and the table that it filters. */
const SLIDER = `import { largestLosses, liveView, predictionsOf, slider, Table } from 'rifle-kit';
const images = largestLosses(await predictionsOf(records[0]), 1000);
const least = slider({ label: 'loss at least', max: 1.5, step: 0.1, value: 0.5 });
const table = liveView();
const draw = ({ value }: { value: number }) => {
  const rows = images.filter(({ loss }) => loss >= value);
  return table.show(new Table({
    title: titleOf, caption: \`\${rows.length} of \${images.length} images have a loss of at least \${value}.\`,
    columns: [{ key: 'file', title: 'Image' }, { key: 'given', title: 'Given' },
      { key: 'predicted', title: 'Predicted' }, { key: 'loss', title: 'Loss', kind: 'number' }],
    rows: rows.slice(0, 8).map(({ file, given, predicted, loss }) => ({ file, given, predicted, loss })), notes: [],
  }));
};
least.onChange(draw);
await show(least);
await draw(least.state);`;

/** What a page may take on a busy machine, milliseconds. */
const PATIENCE = 240_000;

describe('JupyterLab in a browser', function () {
  this.timeout(900_000);
  const executable = findChromium();
  let folder: string;
  let lab: Lab;
  let browser: Browser;
  let page: Page;

  before(async function () {
    // no Chromium here: .ci/run installs it where it may
    if (executable === null || !fs.existsSync(kitHome('venv', 'bin', 'jupyter'))) this.skip();
    const { dataset, backbone } = scales.smoke.spec;
    if (datasets.state(dataset) !== 'ready' || (await backbones.state(backbone)) !== 'ready') this.skip();
    folder = fs.mkdtempSync(path.join(fs.mkdirSync(kitHome('tmp'), { recursive: true }) ?? kitHome('tmp'), 'lab-'));
    const start = readNotebook(path.join(packageRoot(), 'notebooks', '00-start.ipynb'));
    const cells = start.cells.map((cell) =>
      cell.cell_type === 'code' ? { ...cell, outputs: [], execution_count: null } : cell,
    ); // what is seen is then of this run
    fs.writeFileSync(path.join(folder, '00-start.ipynb'), JSON.stringify({ ...start, cells }));
    lab = await startLab({
      folder,
      env: { RIFLE_SCALE: 'smoke', RIFLE_RUNS: path.join(folder, 'runs') },
      startSeconds: 240,
      // cells out of sight are in the page too
      settings: { '@jupyterlab/notebook-extension:tracker': { windowingMode: 'none' } },
    });
    browser = await chromium.launch({ executablePath: executable, args: CHROMIUM_FLAGS });
    page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    page.setDefaultTimeout(PATIENCE);
  });
  after(async () => {
    await browser?.close();
    await lab?.stop();
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
  });

  const idle = (): Promise<unknown> =>
    page.waitForFunction(() => document.body.innerText.includes('TypeScript (rifle-kit) | Idle'), null, {
      timeout: PATIENCE,
    });
  const busy = (): Promise<unknown> =>
    page.waitForFunction(() => document.body.innerText.includes('TypeScript (rifle-kit) | Busy'), null, {
      timeout: PATIENCE,
    });
  const menu = async (name: string, item: string): Promise<void> => {
    await page.click(`.lm-MenuBar-itemLabel:text-is("${name}")`);
    await page.click(`.lm-Menu-itemLabel:text-is("${item}")`);
  };
  const codeCells = () => page.locator('.jp-Notebook .jp-CodeCell');
  const lastCell = () => codeCells().last();
  /** Types a new last cell. */
  async function append(code: string): Promise<void> {
    await lastCell().locator('.cm-content').click();
    await page.keyboard.press('Escape');
    await page.keyboard.press('b');
    await lastCell().locator('.cm-content').click();
    await page.keyboard.insertText(code);
  }
  /** Runs the last cell and gives the text of its outputs. */
  async function runLast(): Promise<void> {
    await lastCell().locator('.cm-content').click();
    await page.keyboard.press('Control+Enter');
  }
  const outputOfLast = (): Promise<string> => lastCell().locator('.jp-OutputArea').innerText();

  it('opens 00-start and runs all of it: bar, table, plotly chart', async () => {
    await page.goto(`${lab.urlOf('00-start.ipynb')}&reset`, { waitUntil: 'domcontentloaded' });
    await page.waitForSelector('.jp-Notebook .jp-CodeCell');
    await idle();
    await menu('Run', 'Run All Cells');
    await page.waitForSelector('.jp-OutputArea-output progress', { state: 'attached' });
    await page.waitForFunction(
      () =>
        [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')].every((prompt) =>
          /\[\d+\]/.test(prompt.textContent ?? ''),
        ),
      null,
      { timeout: PATIENCE },
    );
    await idle();
    assert.equal(
      await page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]').count(),
      0,
      'nothing failed, nothing on stderr',
    );
    const text = await page.locator('.jp-Notebook').innerText();
    for (const part of [
      'all runs: 8 epochs',
      '4 rows × 5 columns',
      'Test accuracy of the methods',
      'Verdict on the mean paired difference',
    ])
      assert.ok(text.includes(part), part);
    assert.ok((await page.locator('.jp-OutputArea-output table').count()) >= 4);
    await page.waitForFunction(() => document.querySelectorAll('.js-plotly-plot .main-svg').length >= 2, null, {
      timeout: PATIENCE,
    });

    await page.locator('.js-plotly-plot').first().scrollIntoViewIfNeeded();
    await page.waitForTimeout(500);
    await page.screenshot({ path: artifact('lab.png') });
  });

  it('asks in an input field, and filters predictions by a slider in step with the kernel', async () => {
    await append('import { prompt } from "rifle-kit";\nconst titleOf = await prompt("Title? ");\ntitleOf.length');
    await runLast();
    const field = lastCell().locator('input.jp-Stdin-input');
    await field.waitFor();
    await field.fill('Images by their loss');
    await field.press('Enter');
    await page.waitForFunction(
      () => {
        const last = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')].at(-1);
        return last?.querySelector('.jp-OutputArea')?.textContent?.includes('Images by their loss');
      },
      null,
      { timeout: PATIENCE },
    );
    await append(SLIDER);
    await runLast();
    const slider = lastCell().locator('.rifle-slider input');
    await slider.waitFor();
    const shown = async (): Promise<[number, number]> => {
      const text = /(\d+) of (\d+) images/.exec(await outputOfLast())!;
      return [Number(text[1]), Number(text[2])];
    };
    await page.waitForFunction(() => /\d+ of \d+ images/.test(document.body.innerText), null, { timeout: PATIENCE });
    const [before_, all] = await shown();
    await slider.fill('1.4');
    await page.waitForFunction(() => /loss of at least 1\.4/.test(document.body.innerText), null, {
      timeout: PATIENCE,
    });
    const [after_] = await shown();
    assert.ok(after_ < before_ && before_ <= all, `${after_} < ${before_} <= ${all}`);
    await page.screenshot({ path: artifact('slider.png') });
    await append('least.set({ value: 0.2 });\nleast.state.value');
    await runLast();
    await page.waitForFunction(() => document.querySelector<HTMLInputElement>('.rifle-slider input')?.value === '0.2');
  });

  it('completes, and shows the doc comment of the name at the cursor', async () => {
    await append('methods.');
    await page.keyboard.press('Tab');
    const completer = page.locator('.jp-Completer:visible');
    await completer.waitFor();
    assert.match(await completer.innerText(), /applySettings|apply[\s\S]*list|list[\s\S]*nameOf/);
    await page.keyboard.press('Escape');
    await lastCell().locator('.cm-content').click();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText('plan');
    await page.keyboard.press('Shift+Tab');
    const tooltip = page.locator('.jp-Tooltip');
    await tooltip.waitFor();
    assert.match(await tooltip.innerText(), /The specs of a grid/);
    await page.keyboard.press('Escape');
  });

  it('is idle soon after an interrupt of a training; the next cell runs, and so does the training', async () => {
    await append(
      'const long = plan({ ...study, spec: { ...study.spec, epochs: 200 }, seeds: [7] });\nawait runAll(long, { onProgress: progressBar() });',
    );
    await runLast();
    await busy();
    await page.waitForFunction(
      () =>
        /epoch [1-9]\d*\/200 .*loss/.test(
          document.querySelector('.jp-Notebook .jp-CodeCell:last-child')?.textContent ?? document.body.innerText,
        ),
      null,
      { timeout: PATIENCE },
    );
    const began = Date.now();
    await menu('Kernel', 'Interrupt Kernel');
    await idle();
    console.log(`      idle ${((Date.now() - began) / 1000).toFixed(1)} s after the interrupt`);
    assert.match(await outputOfLast(), /Interrupted: The cell was interrupted/);
    await append('import { memory } from "rifle-kit";\n`${memory().tensors} tensors, ${6 * 7}`');
    await runLast();
    await page.waitForFunction(() => document.body.innerText.includes('0 tensors, 42'), null, { timeout: PATIENCE });
    await append('(await runAll(plan({ ...study, seeds: [7] }))).map((record) => record.status).join()');
    await runLast();
    await page.waitForFunction(() => /finished,finished/.test(document.body.innerText), null, { timeout: PATIENCE });
  });
});

/** Where a picture of a test is kept for whoever looks at its run. */
function artifact(name: string): string {
  const place = process.env.RIFLE_ARTIFACTS ?? kitHome('artifacts');
  fs.mkdirSync(place, { recursive: true });
  return path.join(place, name);
}
