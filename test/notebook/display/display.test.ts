// What a notebook is sent for each kind of value, and the progress bar's states under a clock of our own.
import assert from 'node:assert/strict';
import { bundleOf } from '../../../src/notebook/display/display';
import type { MimeBundle } from '../../../src/notebook/runner/format';
import { progressBar } from '../../../src/notebook/display/progress';
import { accuracyFigure } from '../../../src/report/figures/figure';
import { methodsTable } from '../../../src/report/tables/methods-table';
import { syntheticStudy } from '../../report/records';

describe('bundleOf', function () {
  this.timeout(60_000);
  const records = syntheticStudy({ 'fine-tuning': [0.8], rifle: [0.9] });

  it('gives a table as HTML, a figure as plotly and SVG at once, both with text', async () => {
    const table = await bundleOf(methodsTable(records));
    assert.deepEqual(Object.keys(table).sort(), ['text/html', 'text/plain']);
    assert.match(String(table['text/html']), /<table>/);
    const figure = await bundleOf(accuracyFigure(records));
    assert.deepEqual(Object.keys(figure).sort(), ['application/vnd.plotly.v1+json', 'image/svg+xml', 'text/plain']);
    assert.match(String(figure['image/svg+xml']), /^<svg /);
    assert.ok(Array.isArray((figure['application/vnd.plotly.v1+json'] as { data: unknown }).data));
  });

  it('gives a frame with all of its columns, counts its rows, and escapes what it holds', async () => {
    class DataFrame {
      columns = Array.from({ length: 30 }, (_, i) => (i === 0 ? 'na<me' : `c${i}`));
      values = Array.from({ length: 50 }, (_, r) => this.columns.map((_column, i) => (i === 0 ? '<b>' : r + i / 3)));
      index = Array.from({ length: 50 }, (_, r) => r);
      shape = [50, 30];
    }
    const { 'text/html': html, 'text/plain': text } = (await bundleOf(new DataFrame(), { rows: 5 })) as Record<
      string,
      string
    >;
    assert.equal(html.match(/<th[ >]/g)!.length, 1 + 30 + 5);
    assert.ok(
      html.includes('50 rows × 30 columns, the first 5 shown') &&
        html.includes('na&lt;me') &&
        html.includes('&lt;b&gt;') &&
        !html.includes('<b>'),
    );
    assert.ok(html.includes('>1.3333</td>'), 'five significant digits');
    assert.match(text, /50 rows × 30 columns, the first 5 shown$/);
    const all = (await bundleOf(new DataFrame(), { rows: 100 })) as Record<string, string>;
    assert.ok(all['text/plain'].endsWith('50 rows × 30 columns'));
  });

  it('gives anything else as it is inspected', async () => {
    assert.deepEqual(await bundleOf({ a: [1] }), { 'text/plain': '{ a: [ 1 ] }' });
    assert.deepEqual(await bundleOf('plain'), { 'text/plain': 'plain' });
    assert.deepEqual(await bundleOf(null), { 'text/plain': 'null' });
  });
});

describe('progressBar', () => {
  it('updates one display, tells the time left, and ends in a text without times', () => {
    const sent: { text: string; id: string; update: boolean }[] = [];
    let clock = 0;
    const publish = (bundle: MimeBundle, display?: { id: string; update: boolean }): void =>
      void sent.push({ text: String(bundle['text/plain']), ...display! });
    const onProgress = progressBar({ publish, now: () => clock, interval: 200 });
    const report = (task: string, done: number, total: number, at: number, detail?: string): void => {
      clock = at;
      onProgress({ task, done, total, unit: 'epochs', detail });
    };
    report('all runs', 0, 4, 0);
    report('rifle seed 0', 0, 2, 100); // within 200 ms: not shown
    report('rifle seed 0', 1, 2, 10_000, 'loss 0.4');
    report('rifle seed 0', 2, 2, 20_000);
    report('all runs', 1, 4, 20_300);
    report('all runs', 4, 4, 81_000);
    assert.deepEqual(
      sent.map(({ text }) => text),
      [
        'all runs ░░░░░░░░░░░░░░░░░░░░ 0 %',
        'all runs ░░░░░░░░░░░░░░░░░░░░ 0 %\nrifle seed 0 ██████████░░░░░░░░░░ 50 % · 10 s left · loss 0.4',
        'all runs ░░░░░░░░░░░░░░░░░░░░ 0 %',
        'all runs █████░░░░░░░░░░░░░░░ 25 % · 1 min 01 s left',
        'all runs: 4 epochs',
      ],
    );
    assert.deepEqual(
      sent.map(({ update }) => update),
      [false, true, true, true, true],
    );
    assert.equal(new Set(sent.map(({ id }) => id)).size, 1);
  });

  it('tells the time left rightly when runs that were finished before are taken out of done and total', () => {
    const sent: string[] = [];
    let clock = 0;
    const onProgress = progressBar({
      publish: (bundle) => void sent.push(String(bundle['text/plain'])),
      now: () => clock,
      interval: 0,
    });
    const report = (done: number, total: number, at: number): void => {
      clock = at;
      onProgress({ task: 'all runs', done, total, unit: 'epochs' });
    };
    report(0, 40, 0);
    report(0, 20, 100); // the first run was there
    report(1, 20, 10_100);
    report(1, 10, 10_200); // the third one too
    report(2, 10, 20_200);
    const shown = sent.map((text) => /^[a-z ]+ [█░]+ (.*)$/.exec(text)![1]);
    assert.deepEqual(shown, [
      '0 %',
      '0 %',
      '5 % · 3 min 12 s left',
      '10 % · 1 min 32 s left',
      '20 % · 1 min 21 s left',
    ]);
  });

  it('measures the pace since a task was resumed or restarted', () => {
    const sent: string[] = [];
    let clock = 0;
    const onProgress = progressBar({
      publish: (bundle) => void sent.push(String(bundle['text/plain'])),
      now: () => clock,
      interval: 0,
    });
    for (const done of [5, 6, 3, 4]) {
      onProgress({ task: 'resumed', done, total: 10, unit: 'epochs' });
      clock += 1000;
    }
    assert.deepEqual(
      sent.map((text) => /^[a-z ]+ [█░]+ (.*)$/.exec(text)![1]),
      ['50 %', '60 % · 4 s left', '30 %', '40 % · 6 s left'],
    );
  });

  it('ends at once when all runs were finished before', () => {
    const sent: string[] = [];
    const onProgress = progressBar({ publish: (bundle) => void sent.push(String(bundle['text/plain'])), now: () => 0 });
    onProgress({ task: 'all runs', done: 0, total: 4, unit: 'epochs' });
    onProgress({ task: 'all runs', done: 0, total: 0, unit: 'epochs' });
    assert.deepEqual(sent, ['all runs ░░░░░░░░░░░░░░░░░░░░ 0 %', 'all runs: 0 epochs']);
  });
});
