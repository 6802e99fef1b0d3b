// The report and the exports: complete, self-contained, the same every time, and whole or not there.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { JSDOM } from 'jsdom';
import type { KitError } from '../../../src/base/errors';
import { exportAll, writeReport } from '../../../src/studies/results';
import '../../../src/studies/built-in';
import { failed, syntheticStudy } from '../records';

describe('writeReport', function () {
  this.timeout(180_000);
  let folder: string;
  const records = syntheticStudy({ 'fine-tuning': [0.842, 0.853, 0.847], rifle: [0.861, 0.866, 0.871] });

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-report-'));
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('writes one file that needs nothing else and runs nothing', async () => {
    const file = await writeReport(records, {
      path: path.join(folder, 'new', 'report.html'),
      title: 'A <study>',
      scale: 'mini',
    });
    assert.equal(file, path.join(folder, 'new', 'report.html'));
    assert.deepEqual(fs.readdirSync(path.dirname(file)), ['report.html'], 'no partial file is left');
    const html = fs.readFileSync(file, 'utf8');
    const { document } = new JSDOM(html).window;
    assert.equal(document.querySelectorAll('script, link, iframe, object, embed, img').length, 0);
    for (const element of document.querySelectorAll('*')) {
      for (const { name, value } of element.attributes) {
        if (/^(?:src|href|xlink:href|action|data)$/.test(name))
          assert.match(value, /^#/, `${element.tagName} ${name}=${value}`);
        assert.ok(!/url\((?!['"]?#)/.test(value), `${element.tagName} ${name}=${value}`);
      }
    }
    assert.doesNotMatch(document.querySelector('style')!.textContent!, /@import|url\(/);
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, 'ids are unique in the page');
    for (const link of document.querySelectorAll('a'))
      assert.ok(document.getElementById(link.getAttribute('href')!.slice(1)), link.outerHTML);

    const text = document.body.textContent!;
    assert.equal(document.querySelector('h1')!.textContent, 'A <study>');
    // Differences 1.9, 1.3, 2.4: mean 1.8667, std 0.5508; scipy: t.interval(.95, 2, 1.8667, 0.5508 / sqrt(3)) =
    // [0.4985, 3.2348].
    assert.match(
      document.querySelector('.lead')!.textContent!,
      /rifle against fine-tuning: \+1\.87 points, 3 pairs, 95 % interval \[\+0\.50, \+3\.23\]: supported/,
    );
    for (const record of records) assert.ok(text.includes(record.id), `run ${record.id}`);
    for (const part of [
      'at scale mini',
      'd'.repeat(64),
      'e'.repeat(64),
      'a'.repeat(40),
      'TF_DETERMINISTIC_OPS=1',
      '2026-01-01 10:00',
      '1 min 36 s',
      'not at hand',
      '"reinitializations": 1',
    ]) {
      assert.ok(text.includes(part), part);
    }
    assert.equal(document.querySelectorAll('figure .wide svg').length, 2);
    assert.match(
      document.querySelector('figcaption')!.textContent!,
      /^Figure 1\. Test accuracy per epoch\. elpv · efficientnet_lite0\.tf_in1k: fine-tuning n = 3, rifle n = 3/,
    );
    assert.match(html, /prefers-color-scheme: dark/);
    assert.match(html, /@media print/);

    await writeReport([...records].reverse(), { path: file, title: 'A <study>', scale: 'mini' });
    assert.equal(fs.readFileSync(file, 'utf8'), html, 'the same records give the same bytes');
  });

  it('shows the runs behind a number on a click, and the way back', async () => {
    const broken = [
      ...syntheticStudy({ 'fine-tuning': [0.84, 0.85], rifle: [0.86, 0.88] }),
      ...syntheticStudy({ dropout: [0.8, 0.8] }).map((record, i) => (i === 0 ? failed(record, 2) : record)),
    ];
    const html = fs.readFileSync(await writeReport(broken, { path: path.join(folder, 'clicks.html') }), 'utf8');
    const { document } = new JSDOM(html).window;
    const row = [...document.querySelectorAll('#t3 tbody tr')].find((each) => /Fine-tuning/.test(each.textContent!))!;
    const follow = (link: Element): Element => document.getElementById(link.getAttribute('href')!.slice(1))!;
    const numbers = [...row.querySelectorAll('a.number')];
    assert.deepEqual(
      numbers.map((link) => link.textContent!.replace(/\u00a0/g, ' ')),
      ['2', '84.50 ± 0.71', '99.00', '+2.50', '[−3.85, +8.85]', 'inconclusive'],
    );
    const runs = follow(numbers[1]);
    assert.ok(runs.matches('aside.sheet'));
    assert.deepEqual(
      [...runs.querySelectorAll('tbody tr')].map((each) => each.textContent!.slice(0, 6)),
      ['084.00', '185.00'],
    );
    assert.equal(follow(runs.querySelector('a.close')!), numbers[0], 'back to the first number of the same runs');
    const record = follow(runs.querySelector('tbody a')!);
    assert.ok(record.matches('#runs tr') && record.textContent!.includes(broken[0].id));
    const pairs = follow(numbers[3]);
    assert.match(
      [...pairs.querySelectorAll('tbody tr')].map((each) => each.textContent).join('|'),
      /^086\.00 · \w+84\.00 · \w+\+2\.00\|188\.00 · \w+85\.00 · \w+\+3\.00$/,
    );
    const dropout = [...document.querySelectorAll('#t3 tbody tr')].find((each) => /Dropout/.test(each.textContent!))!;
    assert.match(dropout.textContent!, /failed \(1 of 2 seeds, epoch 2\)/);
    assert.match(follow(dropout.querySelectorAll('a.number')[1]).textContent!, /failed in epoch 2/);
    assert.match(document.querySelector('.lead')!.textContent!, /6 runs on elpv .*; 1 failed\./);
    assert.doesNotMatch(document.body.textContent!, /NaN/);
  });

  it('has a section for each study with runs, the commands for those without, and every reported value', async () => {
    const html = fs.readFileSync(
      await writeReport(records, { path: path.join(folder, 'sections.html'), scale: 'mini' }),
      'utf8',
    );
    const { document } = new JSDOM(html).window;
    assert.deepEqual(
      [...document.querySelectorAll('section')].map(({ id }) => id),
      ['t1', 'methods', 'f3', 'runs', 'settings', 'environment', 'reported', 'absent'],
    );
    assert.match(
      document.getElementById('absent')!.textContent!,
      /T2 Base regularisers, without and with RIFLE: npx rifle sweep --study t2 --scale mini/,
    );
    assert.match(document.getElementById('reported')!.textContent!, /DR-Tune[^]*88\.29/);
    const only = fs.readFileSync(
      await writeReport(records, { path: path.join(folder, 'only.html'), studies: ['t2'] }),
      'utf8',
    );
    assert.deepEqual(
      [...new JSDOM(only).window.document.querySelectorAll('section')].map(({ id }) => id),
      ['t2', 'runs', 'settings', 'environment', 'reported'],
    );
    await assert.rejects(
      writeReport(records, { path: path.join(folder, 'no.html'), studies: ['t9'] }),
      (error: KitError) => error.code === 'UNKNOWN_STUDY',
    );
  });

  it('leaves the file that was there when it fails', async () => {
    const file = path.join(folder, 'kept.html');
    fs.writeFileSync(file, 'before');
    await assert.rejects(writeReport([], { path: file }), (error: KitError) => error.code === 'REPORT_NO_RECORDS');
    assert.equal(fs.readFileSync(file, 'utf8'), 'before');
    await assert.rejects(writeReport(records, { path: path.join(file, 'below-a-file.html') }));
    assert.equal(fs.readFileSync(file, 'utf8'), 'before');
  });

  it('exports tables and figures in the forms of papers and programs', async () => {
    const out = path.join(folder, 'exports');
    const files = await exportAll(records, out);
    const names = [
      'accuracy.csv',
      'accuracy.plotly.json',
      'accuracy.svg',
      'f3-recovery.csv',
      'f3-recovery.json',
      'f3-recovery.tex',
      'loss.csv',
      'loss.plotly.json',
      'loss.svg',
      'methods.csv',
      'methods.json',
      'methods.tex',
      'runs.csv',
      'runs.json',
      'runs.tex',
      't1-datasets.csv',
      't1-datasets.json',
      't1-datasets.tex',
    ];
    assert.deepEqual(
      files,
      names.map((name) => path.join(out, name)),
    );
    assert.deepEqual(fs.readdirSync(out).sort(), names);
    const read = (name: string): string => fs.readFileSync(path.join(out, name), 'utf8');
    assert.match(read('methods.csv'), /^dataset,backbone,settings,method,n,test_mean,test_std,/);
    const [header, first] = read('runs.csv')
      .split('\n')
      .map((line) => line.split(','));
    assert.equal(first[header.indexOf('seconds')], '96', 'times are numbers of seconds');
    for (const name of names.filter((each) => each.endsWith('.tex'))) assertLatex(read(name));
    assert.equal((JSON.parse(read('runs.json')) as { rows: unknown[] }).rows.length, 6);
    assert.deepEqual(Object.keys(JSON.parse(read('accuracy.plotly.json')) as object), ['data', 'layout']);
    assert.match(read('loss.svg'), /^<svg .*<\/svg>$/s);
  });
});

/**
 * The structure that LaTeX needs: balanced environments and braces, as many cells in each row as the table has columns.
 */
function assertLatex(text: string): void {
  const begun = [...text.matchAll(/\\begin\{(\w+)\}/g)].map((match) => match[1]);
  const ended = [...text.matchAll(/\\end\{(\w+)\}/g)].map((match) => match[1]);
  assert.deepEqual(begun, ['table', 'tabular']);
  assert.deepEqual(ended, [...begun].reverse());
  const bare = text.replace(/\\[{}]/g, '');
  assert.equal(bare.split('{').length, bare.split('}').length, 'braces');
  const columns = /\\begin\{tabular\}\{([lrc]+)\}/.exec(text)![1].length;
  const rows = text.split('\n').filter((line) => line.endsWith('\\\\'));
  for (const row of rows) assert.equal(row.replace(/\\&/g, '').split('&').length, columns, row);
  assert.ok(
    rows.every((row) => !row.trim().startsWith('[')),
    'no row that would be read as an option of the line before',
  );
}
