// The exported web page in a real browser, opened from the disk: it gives the predictions that the run kept.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { exportRun } from '../../src/runs/export/export';
import { finetune } from '../../src/runs/finetune';
import { RunStore } from '../../src/runs/store/store';
import { makeImageFolder } from '../runs/image-folder';
import { CHROMIUM_FLAGS, findChromium } from './chromium';

describe('the exported web page', function () {
  this.timeout(600_000);
  const executable = findChromium();
  let dataset: string;
  let folder: string;
  let browser: Browser;
  before(async function () {
    if (executable === null) this.skip();
    dataset = await makeImageFolder();
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-web-'));
    browser = await chromium.launch({ executablePath: executable, args: CHROMIUM_FLAGS });
  });
  after(async () => {
    await browser?.close();
    for (const each of [dataset, folder]) if (each) fs.rmSync(each, { recursive: true, force: true });
  });

  it('classifies dropped images as the run did, without a server and without a request', async () => {
    const store = new RunStore(path.join(folder, 'runs'));
    const record = await finetune(
      {
        dataset,
        backbone: 'efficientnet_lite0.tf_in1k',
        weights: 'random',
        imageSize: 32,
        epochs: 1,
        batchSize: 4,
        optimizer: { learningRate: 0.001 },
      },
      { runs: store },
    );
    const page = path.join(folder, 'page');
    await exportRun(store, record.id, { format: 'web', to: page });
    const kept = (await store.predictions(record.id))!;
    const tab = await browser.newPage();
    const requests: string[] = [];
    tab.on('request', (request) => requests.push(request.url()));
    await tab.goto(`file://${page}/index.html?backend=cpu`);
    await tab.waitForFunction("document.getElementById('status').textContent === 'Ready'", null, { timeout: 300_000 });
    for (const [i, file] of kept.files.entries()) {
      const bytes = fs.readFileSync(path.join(dataset, file)).toString('base64');
      const script = `fetch('data:image/png;base64,${bytes}').then((r) => r.blob()).then(rifleKit.classify).then((a) => a.logits)`;
      const logits = (await tab.evaluate(script)) as number[];
      logits.forEach((value, k) => {
        const expected = kept.logits[i * kept.classes + k];
        assert.ok(
          Math.abs(value - expected) <= 1e-4 * Math.max(1, Math.abs(expected)),
          `${file}: ${value}, ${expected}`,
        );
      });
    }
    await tab.setInputFiles('#files', path.join(dataset, kept.files[0]));
    await tab.waitForSelector('.result[data-class]');
    const row = [...kept.logits.subarray(0, kept.classes)];
    const shown = await tab.getAttribute('.result', 'data-class');
    assert.equal(shown, kept.classNames[row.indexOf(Math.max(...row))]);
    assert.ok(
      requests.every((url) => /^(file|data|blob):/.test(url)),
      requests.join('\n'),
    );
  });
});
