// The report and the exports: complete, self-contained, the same every time, and whole or not there.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { JSDOM } from 'jsdom';
import { exportAll, writeReport } from '../../src/report/export';
import { syntheticStudy } from './records';

describe('writeReport', function () {
  this.timeout(60_000);
  let folder: string;
  const records = syntheticStudy({ 'fine-tuning': [0.842, 0.853, 0.847], rifle: [0.861, 0.866, 0.871] });

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-report-'));
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('writes one file that needs nothing else and runs nothing', async () => {
    const file = await writeReport(records, { path: path.join(folder, 'new', 'report.html'), title: 'A <study>', scale: 'mini' });
    assert.equal(file, path.join(folder, 'new', 'report.html'));
    assert.deepEqual(fs.readdirSync(path.dirname(file)), ['report.html'], 'no partial file is left');
    const html = fs.readFileSync(file, 'utf8');
    const { document } = new JSDOM(html).window;
    assert.equal(document.querySelectorAll('script, link, iframe, object, embed, img').length, 0);
    for (const element of document.querySelectorAll('*')) {
      for (const { name, value } of element.attributes) {
        if (/^(?:src|href|xlink:href|action|data)$/.test(name)) assert.match(value, /^#/, `${element.tagName} ${name}=${value}`);
        assert.ok(!/url\((?!['"]?#)/.test(value), `${element.tagName} ${name}=${value}`);
      }
    }
    assert.doesNotMatch(document.querySelector('style')!.textContent!, /@import|url\(/);
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, 'ids are unique in the page');
    for (const link of document.querySelectorAll('nav a')) assert.ok(document.querySelector(link.getAttribute('href')!), link.outerHTML);

    const text = document.body.textContent!;
    assert.equal(document.querySelector('h1')!.textContent, 'A <study>');
    // Differences 1.9, 1.3, 2.4: mean 1.8667, std 0.5508; scipy: t.interval(.95, 2, 1.8667, 0.5508 / sqrt(3)) = [0.4985, 3.2348].
    assert.match(document.querySelector('.lead')!.textContent!, /rifle against fine-tuning: \+1\.87 percentage points over 3 paired seeds, 95 % interval \[\+0\.50, \+3\.23\]: reproduced/);
    for (const record of records) assert.ok(text.includes(record.id), `run ${record.id}`);
    for (const part of ['at scale mini', 'd'.repeat(64), 'e'.repeat(64), 'a'.repeat(40), 'TF_DETERMINISTIC_OPS=1', '2026-01-01 10:00', '1 min 36 s', 'not at hand', '"reinitializations": 1']) {
      assert.ok(text.includes(part), part);
    }
    assert.equal(document.querySelectorAll('figure .wide svg').length, 2);
    assert.match(document.querySelector('figcaption')!.textContent!, /^Figure 1\. Test accuracy per epoch\. elpv · efficientnet_lite0\.tf_in1k: fine-tuning n = 3, rifle n = 3/);
    assert.match(html, /prefers-color-scheme: dark/);
    assert.match(html, /@media print/);

    await writeReport([...records].reverse(), { path: file, title: 'A <study>', scale: 'mini' });
    assert.equal(fs.readFileSync(file, 'utf8'), html, 'the same records give the same bytes');
  });

  it('leaves the file that was there when it fails', async () => {
    const file = path.join(folder, 'kept.html');
    fs.writeFileSync(file, 'before');
    await assert.rejects(writeReport([], { path: file }), /at least one finished run/);
    assert.equal(fs.readFileSync(file, 'utf8'), 'before');
    await assert.rejects(writeReport(records, { path: path.join(file, 'below-a-file.html') }));
    assert.equal(fs.readFileSync(file, 'utf8'), 'before');
  });

  it('exports tables and figures in the forms of papers and programs', async () => {
    const out = path.join(folder, 'exports');
    const files = await exportAll(records, out);
    const names = ['accuracy.plotly.json', 'accuracy.svg', 'loss.plotly.json', 'loss.svg', 'methods.csv', 'methods.json', 'methods.tex', 'runs.csv', 'runs.json', 'runs.tex'];
    assert.deepEqual(files, names.map((name) => path.join(out, name)));
    assert.deepEqual(fs.readdirSync(out).sort(), names);
    const read = (name: string): string => fs.readFileSync(path.join(out, name), 'utf8');
    assert.match(read('methods.csv'), /^dataset,backbone,settings,method,n,test_mean,test_std,/);
    assert.equal((JSON.parse(read('runs.json')) as { rows: unknown[] }).rows.length, 6);
    assert.deepEqual(Object.keys(JSON.parse(read('accuracy.plotly.json')) as object), ['data', 'layout']);
    assert.match(read('loss.svg'), /^<svg .*<\/svg>$/s);
  });
});
