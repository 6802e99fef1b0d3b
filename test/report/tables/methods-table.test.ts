// The table of methods against scipy's values and hand calculation, and its four forms.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../../src/base/home';
import type { Column, Pair, Row } from '../../../src/report/table/cells';
import { groupRuns } from '../../../src/report/comparison/grouping';
import { Table } from '../../../src/report/table/tabular';
import { methodsTable, rowsOfGroup } from '../../../src/report/tables/methods-table';
import { judge, verdictRule } from '../../../src/report/comparison/verdict';
import { syntheticRecord, syntheticStudy } from '../records';

const golden = JSON.parse(
  fs.readFileSync(path.join(packageRoot(), 'test/fixtures/analysis/statistics.json'), 'utf8'),
) as {
  pairs: { three: { treated: number[]; control: number[]; mean: number; interval95: [number, number] } };
  samples: { three: { std: number; mean: number } };
};
const { treated, control, mean, interval95 } = golden.pairs.three;
const percent = (values: readonly number[]): number[] => values.map((value) => value / 100);
const rowOf = (table: Table, method: string): Row => table.rows.find((row) => row.method === method)!;
const near = (found: unknown, expected: number): void =>
  assert.ok(
    Math.abs((found as number) - expected) < 1e-6 * Math.max(1, Math.abs(expected)),
    `expected ${expected}, found ${String(found)}`,
  );

describe('methodsTable', () => {
  it("gives n, mean, std and scipy's paired difference and interval, in any order of the records", () => {
    const records = syntheticStudy({ rifle: percent(treated), 'fine-tuning': percent(control) });
    const table = methodsTable([...records].reverse());
    assert.deepEqual(
      table.rows.map((row) => row.method),
      ['fine-tuning', 'rifle'],
    );
    const plain = rowOf(table, 'fine-tuning');
    assert.equal(plain.n, 3);
    near((plain.test as Pair)[0], golden.samples.three.mean);
    near((plain.test as Pair)[1], golden.samples.three.std);
    assert.deepEqual([plain.difference, plain.interval, plain.verdict], [null, null, null]);
    const rifle = rowOf(table, 'rifle');
    near(rifle.difference, mean);
    near((rifle.interval as Pair)[0], interval95[0]);
    near((rifle.interval as Pair)[1], interval95[1]);
    assert.equal(rifle.verdict, interval95[0] > 0 ? 'supported' : 'inconclusive');
    near(rifle.train, 99);
    assert.equal(rifle.reported, 'not at hand');
    assert.equal(methodsTable(records).toCsv(), table.toCsv());
  });

  it('gives each verdict by the rule that it prints', () => {
    const verdict = (rifle: number[], plain: number[]): unknown =>
      rowOf(methodsTable(syntheticStudy({ 'fine-tuning': plain, rifle })), 'rifle').verdict;
    assert.equal(verdict([0.86, 0.87, 0.88], [0.84, 0.85, 0.86]), 'supported'); // differences 2, 2, 2: interval [2, 2]
    assert.equal(verdict([0.86, 0.84], [0.84, 0.85]), 'inconclusive'); // differences 2, -1
    assert.equal(verdict([0.86], [0.84]), 'inconclusive'); // one pair, no interval
    assert.equal(verdict([0.84, 0.84], [0.84, 0.84]), 'contradicted'); // differences 0, 0: interval [0, 0]
    assert.equal(verdict([0.83, 0.85], [0.84, 0.85]), 'inconclusive'); // differences -1, 0
    const alone = methodsTable(syntheticStudy({ 'fine-tuning': [0.8, 0.81] }));
    assert.deepEqual(
      [rowOf(alone, 'rifle').n, rowOf(alone, 'rifle').test, rowOf(alone, 'rifle').verdict],
      [0, 'not run', 'not run'],
    );
    assert.ok(
      alone.notes.some((note) => note.includes('`npx rifle reproduce`')),
      'the command that makes the missing runs',
    );
    assert.ok(alone.notes.includes(verdictRule()));
  });

  it('pairs only the seeds of both methods, with a note', () => {
    const records = [
      ...syntheticStudy({ 'fine-tuning': [0.8, 0.7] }),
      ...[1, 2].map((seed) => syntheticRecord({ method: 'rifle', seed, top1: 0.75 })),
    ];
    const table = methodsTable(records);
    assert.equal(rowOf(table, 'rifle').pairs, 1);
    near(rowOf(table, 'rifle').difference, 5);
    assert.equal(rowOf(table, 'rifle').interval, null);
    assert.ok(
      table.notes.some((note) => /rifle: 1 of 2 seeds were also run with fine-tuning/.test(note)),
      table.notes.join('\n'),
    );
  });

  it('never pools or pairs runs of different settings, data, weights or variants of a method', () => {
    const records = [
      ...syntheticStudy({ 'fine-tuning': [0.8], rifle: [0.82] }),
      ...syntheticStudy({ 'fine-tuning': [0.9], rifle: [0.91] }, { epochs: 16 }),
      {
        ...syntheticRecord({ top1: 0.5 }),
        id: 'other-data',
        dataset: { ...syntheticRecord().dataset, hash: 'f'.repeat(64) },
      },
    ];
    const groups = groupRuns(records);
    assert.equal(groups.length, 3);
    assert.deepEqual(
      groups.map(({ methods }) => methods.map(({ records: runs }) => runs.length)).flat(),
      [1, 1, 1, 1, 1],
    );
    const twice = groupRuns([...records, ...records]);
    assert.deepEqual(twice, groups, 'a run given twice counts once');
    const once = syntheticRecord({ method: 'rifle' });
    const variant = {
      ...once,
      id: 'variant',
      spec: { ...once.spec, reset: { ...once.spec.reset!, reinitializations: 3 } },
    };
    const [group] = groupRuns([once, variant, syntheticRecord()]);
    assert.deepEqual(
      group.methods.map(({ label }) => label),
      ['fine-tuning', 'rifle (reinitializations 1)', 'rifle (reinitializations 3)'],
    );
  });

  it('compares RIFLE on L2-SP with L2-SP, and makes no claim for what is not RIFLE', () => {
    const [group] = groupRuns(
      syntheticStudy({
        'fine-tuning': [0.8, 0.8],
        rifle: [0.81, 0.82],
        'l2-sp': [0.79, 0.78],
        'l2-sp+rifle': [0.8, 0.79],
      }),
    );
    const found = rowsOfGroup(group).map(({ label, comparison, isClaim }) => [
      label,
      comparison?.control.label ?? null,
      isClaim ? judge([comparison!])[0].verdict : null,
    ]);
    assert.deepEqual(found, [
      ['fine-tuning', null, null],
      ['rifle', 'fine-tuning', 'inconclusive'],
      ['l2-sp', 'fine-tuning', null],
      ['l2-sp+rifle', 'l2-sp', 'supported'],
    ]);
  });

  it('says which runs have not converged', () => {
    const unfinished = methodsTable([
      ...syntheticStudy({ 'fine-tuning': [0.8, 0.8] }),
      ...syntheticStudy({ rifle: [0.7, 0.71] }, { trainTop1: 0.9 }),
    ]);
    assert.ok(
      unfinished.notes.some((note) => /^Not converged: .*rifle 2 of 2 \(lowest 90\.0 %\)/.test(note)),
      unfinished.notes.join('\n'),
    );
    assert.ok(!methodsTable(syntheticStudy({ rifle: [0.8] })).notes.some((note) => note.startsWith('Not converged')));
  });

  it('puts reported values beside runs of their data set, method and family of backbones, with their source', () => {
    const on = (backbone: string): Table =>
      methodsTable(syntheticStudy({ 'fine-tuning': [0.75], rifle: [0.76] }, { dataset: 'cub-200-2011', backbone }));
    const table = on('resnet50.tv_in1k');
    assert.equal(rowOf(table, 'fine-tuning').reported, '74.87 [1]; 80.25 [2]; 81.80 [3]');
    assert.equal(rowOf(table, 'rifle').reported, '76.18 [1]; 80.74 [2]');
    assert.ok(table.notes.some((note) => note.startsWith('[1] haozhe-an/RIFLE-Paddle-Implementation')));
    assert.equal(rowOf(on('efficientnet_lite0.ra_in1k'), 'rifle').reported, 'not at hand');
  });
});

describe('Table', () => {
  const columns: Column[] = [
    { key: 'data', title: 'Data set', group: true, hoist: true },
    { key: 'name', title: 'Name' },
    { key: 'value', title: 'Long heading', unit: '%', kind: 'spread', digits: 1 },
    { key: 'range', title: 'Interval', kind: 'interval', signed: true },
    { key: 'hidden', title: 'Hidden', dataOnly: true },
  ];
  const rows: Row[] = [
    { data: 'a<b', name: 'x "quoted", y', value: [81.25, 1.5], range: [-0.5, 2], hidden: 1 },
    { data: 'a<b', name: 'z_1', value: [7, null], range: null, hidden: null },
  ];
  const table = new Table({ title: 'T & U', caption: 'A caption.', columns, rows, notes: ['50 % of it'] });

  it('prints as lines of one width, and row by row where it does not fit', () => {
    const rule = '─'.repeat(41);
    assert.deepEqual(table.toText(60).split('\n'), [
      'T & U',
      'data set a<b',
      rule,
      'Name                 Long        Interval',
      '                  heading',
      '                      (%)',
      rule,
      'x "quoted", y  81.3 ± 1.5  [−0.50, +2.00]',
      'z_1                   7.0               –',
      rule,
      'A caption.',
      '  50 % of it',
    ]);
    assert.match(table.toText(30), /Name +z_1\nLong heading \(%\) +7\.0\nInterval +–/);
  });

  it('is CSV in full precision, with pairs in two columns', () => {
    assert.equal(
      table.toCsv(),
      'data,name,value_mean,value_std,range_low,range_high,hidden\na<b,"x ""quoted"", y",81.25,1.5,-0.5,2,1\na<b,z_1,7,,,,\n',
    );
  });

  it('is HTML and LaTeX with their special characters made safe', () => {
    const html = table.toHtml();
    assert.ok(
      html.includes('data set <b>a&lt;b</b>') &&
        html.includes('x &quot;quoted&quot;, y') &&
        html.includes('T &amp; U') &&
        html.includes('81.3&nbsp;±&nbsp;1.5'),
    );
    const latex = table.toLatex();
    assert.ok(
      latex.includes('\\begin{tabular}{lrr}') &&
        latex.includes('z\\_1 & 7.0 & -- \\\\') &&
        latex.includes('81.3 $\\pm$ 1.5 & [$-$0.50, +2.00]') &&
        latex.includes('T \\& U. Data set a$<$b.'),
    );
    assert.deepEqual(
      ['\\toprule', '\\midrule', '\\bottomrule'].map((rule) => latex.split(rule).length - 1),
      [1, 1, 1],
    );
  });

  it('is plain JSON', () => {
    const json = JSON.parse(JSON.stringify(table)) as { rows: Row[]; columns: { key: string; unit: string | null }[] };
    assert.deepEqual(json.rows, rows);
    assert.deepEqual(json.columns[2], { key: 'value', title: 'Long heading', unit: '%', kind: 'spread' });
  });
});
