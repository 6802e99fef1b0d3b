// The figures: what they draw, and an SVG that is the same every time and cuts no text.
import assert from 'node:assert/strict';
import { accuracyFigure, Figure, lossFigure } from '../../../src/report/figures/figure';
import { colorOf } from '../../../src/report/drawing/figure-style';
import '../../../src/studies/built-in';
import { textWidth, wrapText } from '../../../src/report/drawing/text-metrics';
import type { RunRecord } from '../../../src/runs/store/record';
import { methods } from '../../../src/transfer/methods';
import { syntheticRecord, syntheticStudy } from '../records';
import { within } from '../within';
import { hasCode } from '../code';

interface Trace {
  name: string;
  x: number[];
  y: number[];
  fill?: string;
  line: { color: string };
}
const traces = (figure: Figure): Trace[] => figure.data as unknown as Trace[];
const records = syntheticStudy({ 'fine-tuning': [0.8, 0.84], rifle: [0.9, 0.82] });

describe('accuracyFigure', () => {
  const figure = accuracyFigure(records);

  it('draws the mean over seeds in percent and the band between lowest and highest', () => {
    const rifle = traces(figure).find(({ name }) => name === 'rifle (n = 2)')!;
    assert.deepEqual(rifle.x, [1, 2, 3, 4, 5, 6, 7, 8]);
    const own = records
      .filter(({ method }) => method === 'rifle')
      .map(({ epochs }) => epochs.map((row) => 100 * row.top1));
    rifle.y.forEach((mean, i) => assert.ok(Math.abs(mean - (own[0][i] + own[1][i]) / 2) < 1e-9));
    assert.ok(Math.abs(rifle.y[7] - 86) < 1e-9);
    const [low, high] = ['rifle, low', 'rifle, high'].map((name) =>
      traces(figure).find((trace) => trace.name === name)!,
    );
    assert.deepEqual([low.y[7], high.y[7], high.fill], [82, 90, 'tonexty']);
    const std = traces(accuracyFigure(records, { band: 'std' })).find(({ name }) => name === 'rifle, high')!;
    assert.ok(Math.abs(std.y[7] - (86 + 8 / Math.SQRT2)) < 1e-9, 'std of 90 and 82 is 8 / sqrt(2)');
    assert.equal(traces(accuracyFigure(records, { band: 'none' })).length, 2);
  });

  it('marks each reset but one after the last epoch, between two epochs, in the colour of its method', () => {
    const shapes = figure.layout.shapes as { x0: number; x1: number; line: { color: string; dash: string } }[];
    const color = traces(figure).find(({ name }) => name.startsWith('rifle'))!.line.color;
    assert.deepEqual(
      shapes.map(({ x0, x1, line }) => [x0, x1, line.color]),
      [[4.5, 4.5, color]],
    );
    assert.equal(
      traces(accuracyFigure(syntheticStudy({ rifle: [0.8] })))[0].line.color,
      color,
      'a method has its colour whatever stands beside it',
    );
  });

  it('leaves out epochs that were not evaluated', () => {
    const every = records.map((record) => ({
      ...record,
      epochs: record.epochs.map((row) => (row.epoch % 3 === 0 || row.epoch === 8 ? row : { ...row, top1: NaN })),
    }));
    const [third, all] = [accuracyFigure(every), figure].map((each) =>
      traces(each).find(({ name }) => name === 'rifle (n = 2)')!,
    );
    assert.deepEqual(third.x, [3, 6, 8]);
    assert.deepEqual(
      third.y,
      [3, 6, 8].map((epoch) => all.y[epoch - 1]),
    );
  });

  it('has a panel for each data set, backbone and settings', () => {
    const both = accuracyFigure([...records, ...syntheticStudy({ 'fine-tuning': [0.5] }, { dataset: 'other' })]);
    assert.ok('xaxis2' in both.layout && !('xaxis3' in both.layout));
    assert.match(both.caption, /other · efficientnet_lite0\.tf_in1k: fine-tuning n = 1\./);
    assert.match(figure.caption, /fine-tuning n = 2, rifle n = 2/);
  });

  it('leaves out a method with a failed run, with a note', () => {
    const failed = records.map((record, i): RunRecord =>
      i === 3
        ? { ...record, status: 'failed', epochs: [], resets: [], failure: { epoch: 1, lastLoss: 0.7, message: 'NaN' } }
        : record,
    );
    const drawn = accuracyFigure(failed);
    assert.deepEqual(
      traces(drawn)
        .filter(({ name }) => /n = /.test(name))
        .map(({ name }) => name),
      ['fine-tuning (n = 2)'],
    );
    assert.match(drawn.caption, /Not drawn: rifle \(1 of 2 runs failed\)\.$/);
    assert.doesNotMatch(figure.caption, /Not drawn/);
  });

  it('has its numbers as CSV: a row a method and epoch', () => {
    const [head, ...rows] = figure
      .toCsv()
      .trim()
      .split('\n')
      .map((line) => line.split(','));
    assert.deepEqual(head, ['dataset', 'backbone', 'settings', 'method', 'epoch', 'n', 'mean', 'low', 'high', 'reset']);
    assert.equal(rows.length, 16);
    const last = rows[15];
    assert.deepEqual([...last.slice(3, 6), last[9]], ['rifle', '8', '2', 'no']);
    [86, 82, 90].forEach((expected, i) => assert.ok(Math.abs(Number(last[6 + i]) - expected) < 1e-9));
    assert.deepEqual(
      rows.filter((row) => row[9] === 'yes').map((row) => `${row[3]} ${row[4]}`),
      ['rifle 4'],
    );
    assert.equal(
      lossFigure(records).numbers!.rows[0].mean,
      records.slice(0, 2).reduce((sum, { epochs }) => sum + epochs[0].trainCrossEntropy, 0) / 2,
    );
    assert.throws(
      () => new Figure({ title: 'Empty', caption: '', data: [], layout: { width: 1, height: 1 } }).toCsv(),
      hasCode('FIGURE_NO_NUMBERS'),
    );
  });
});

describe('toSvg', function () {
  this.timeout(60_000);
  it('gives the same bytes again, other names in another figure, and text that fits', async () => {
    const accuracy = await accuracyFigure(records).toSvg();
    const loss = await lossFigure(records).toSvg();
    assert.equal(await accuracyFigure(records).toSvg(), accuracy);
    assert.match(accuracy, /^<svg [^>]*role="img" aria-label="Test accuracy per epoch"/);
    const ids = (svg: string): string[] => [...svg.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
    assert.ok(
      ids(accuracy).length > 0 && ids(accuracy).every((id) => !ids(loss).includes(id)),
      'two figures in one page share no id',
    );
    within(accuracy);
    within(loss);
  });

  it('keeps text inside at phone width and with long names and many panels', async () => {
    const long = syntheticStudy(
      { 'fine-tuning': [0.7], rifle: [0.7], 'l2-sp+rifle': [0.70001] },
      { dataset: 'a-data-set-with-a-long-name', backbone: 'resnet50.tv_in1k' },
    );
    within(await accuracyFigure(records, { width: 380 }).toSvg());
    within(await accuracyFigure([...records, ...long, syntheticRecord({ epochs: 40 })]).toSvg());
  });
});

describe('colorOf', () => {
  const names = (pattern: RegExp): string[] =>
    methods
      .list()
      .map(({ name }) => name)
      .filter((name) => !name.includes('/') && pattern.test(name)); // others are of tests before this one

  it('has different colours for methods of one figure: all without RIFLE, each with its own RIFLE, all variants of RIFLE', () => {
    for (const together of [
      [...names(/^[^+:]+$/)],
      [...names(/^rifle:/), 'fine-tuning', 'rifle'],
      ...names(/^[^+:]+$/)
        .filter((name) => name !== 'rifle' && name !== 'fine-tuning')
        .map((name) => [name, `${name}+rifle`]),
    ]) {
      const colors = together.map((name) => colorOf(name));
      assert.equal(new Set(colors).size, colors.length, together.join(', '));
    }
    assert.match(colorOf('something else'), /^#[0-9a-f]{6}$/i);
    assert.equal(colorOf('jdoe/cutout'), colorOf('jdoe/cutout'));
    assert.notEqual(colorOf('jdoe/cutout+rifle'), colorOf('jdoe/cutout'), 'a darker one');
  });
});

describe('text metrics', () => {
  it("are PIL's of Liberation Sans", () => {
    // ImageFont.truetype('LiberationSans-Regular.ttf', 2048, layout_engine=BASIC): sums of getlength of the letters,
    // times 12 / 2048.
    for (const [text, width] of [
      ['Test top-1 (%)', 76.0195],
      ['fine-tuning 84.7', 82.7285],
      ['Mean over seeds', 92.0508],
    ] as const) {
      assert.ok(
        Math.abs(textWidth(text, 12) - width) < 0.05,
        `${text}: expected ${width}, found ${textWidth(text, 12)}`,
      );
    }
    assert.deepEqual(wrapText('one two three', 10, textWidth('one two', 10)), ['one two', 'three']);
  });
});
