// The tables of claims T2 to T4 on synthetic runs: what is compared with what, and what a table says of runs that
// failed or are missing.
import assert from 'node:assert/strict';
import type { Pair, Row } from '../../../src/report/table/cells';
import { architecturesTable, regularizersTable, tricksTable } from '../../../src/studies/rifle/study-tables';
import type { Table } from '../../../src/report/table/tabular';
import { failed, syntheticRecord, syntheticStudy } from '../../report/records';

const near = (found: unknown, expected: number): void =>
  assert.ok(Math.abs((found as number) - expected) < 1e-9, `expected ${expected}, found ${String(found)}`);
const rowOf = (table: Table, method: string): Row => table.rows.find((row) => row.method === method)!;
const has = (table: Table, note: RegExp): void =>
  assert.ok(
    table.notes.some((text) => note.test(text)),
    `${String(note)} in\n${table.notes.join('\n')}`,
  );
const shown = (table: Table): string[] => table.columns.filter(({ dataOnly }) => !dataOnly).map(({ key }) => key);

describe('regularizersTable', () => {
  const records = syntheticStudy({
    'fine-tuning': [0.8, 0.81, 0.82],
    rifle: [0.82, 0.83, 0.84],
    'l2-sp': [0.79, 0.8, 0.81],
    'l2-sp+rifle': [0.8, 0.8, 0.82],
  });
  const table = regularizersTable([...records].reverse(), { scale: 'mini', notes: ['Chosen on a validation split.'] });

  it('has one row a regulariser, without and with RIFLE, paired', () => {
    assert.deepEqual(
      table.rows.map(({ method }) => method),
      ['L2', 'L2-SP', 'DELTA'],
    );
    const l2 = rowOf(table, 'L2');
    near((l2.without as Pair)[0], 81);
    near((l2.with as Pair)[0], 83);
    near(l2.difference, 2);
    assert.deepEqual([l2.pairs, l2.verdict, rowOf(table, 'L2-SP').verdict], [3, 'supported', 'inconclusive']);
    // Differences 1, 0, 1: mean 2/3, std 0.57735; scipy.stats.t.interval(.95, 2, 2/3, 1/3) = [-0.767551, 2.100884].
    assert.ok(Math.abs((rowOf(table, 'L2-SP').interval as Pair)[0] + 0.767551) < 1e-5);
    assert.deepEqual(
      shown(table),
      [
        'dataset',
        'backbone',
        'method',
        'n',
        'without',
        'with',
        'difference',
        'interval',
        'p_holm',
        'verdict',
        'seeds_needed',
        'detectable',
        'reported',
      ],
      'columns that hold nothing are left to CSV',
    );
  });

  it('says what was not run, and the command that runs it', () => {
    const delta = rowOf(table, 'DELTA');
    assert.deepEqual(
      [delta.without, delta.with, delta.difference, delta.verdict, delta.status],
      ['not run', 'not run', null, 'not run', 'not run'],
    );
    has(
      table,
      /^Not run on elpv: delta and delta\+rifle\. To make these runs: `npx rifle sweep --study t2 --scale mini`\.$/,
    );
    const nothing = regularizersTable([], { scale: 'smoke' });
    assert.deepEqual(
      nothing.rows.map(({ verdict, dataset }) => [dataset, verdict]),
      [
        ['any', 'not run'],
        ['any', 'not run'],
        ['any', 'not run'],
      ],
    );
    has(nothing, /To make these runs: `npx rifle sweep --study t2 --scale smoke`/);
    const planned = regularizersTable(records, {
      planned: [{ dataset: 'folder/of/cub10', backbone: 'resnet50.tv_in1k' }],
    });
    assert.deepEqual([...new Set(planned.rows.map(({ dataset }) => dataset))], ['cub10', 'elpv']);
    const [{ spec }] = records;
    const longer = syntheticStudy({ 'l2-sp': [0.5] }, { epochs: 16 });
    assert.deepEqual(
      regularizersTable([...records, ...longer], { planned: [spec] }).rows.map(({ method, n }) => [method, n]),
      [
        ['L2', 3],
        ['L2-SP', 3],
        ['DELTA', 0],
      ],
      'a plan keeps runs under other settings out',
    );
  });

  it('states n, scale, data, backbone, notes and verdicts in its caption, and prints the rule below', () => {
    for (const part of [
      'n = 3 seeds (0, 1, 2)',
      'Scale mini.',
      'elpv: 4 classes, 320 training and 200 test images',
      'Backbone: efficientnet_lite0.tf_in1k.',
      'Chosen on a validation split.',
      'Verdict: supported 1, inconclusive 1, not run 1.',
    ]) {
      assert.ok(table.caption.includes(part), `${part} in ${table.caption}`);
    }
    has(table, /^Verdict on the mean paired difference: .*0\.5 points.*Holm's correction for the 2 claims/);
  });

  it('names the runs behind each number', () => {
    const at = table.rows.findIndex(({ method }) => method === 'L2');
    const ids = (method: string): string[] => records.filter((record) => record.method === method).map(({ id }) => id);
    assert.deepEqual(table.sources[at].without, {
      of: 'fine-tuning, elpv · efficientnet_lite0.tf_in1k',
      runs: ids('fine-tuning'),
    });
    assert.deepEqual(
      [table.sources[at].difference.runs, table.sources[at].difference.against],
      [ids('rifle'), ids('fine-tuning')],
    );
    assert.deepEqual(table.sources[table.rows.findIndex(({ method }) => method === 'DELTA')], {});
    const [header, first] = table
      .toCsv()
      .split('\n')
      .map((line) => line.split(','));
    assert.equal(first[header.indexOf('treated_runs')], ids('rifle').join(' '));
  });

  it('pairs RIFLE with the same hyper-parameters, and never across them', () => {
    const with2 = (alpha: number) => ({ spec: { regularizer: { name: 'l2-sp' as const, alpha, beta: 1e-4 } } });
    const choices = [
      ...syntheticStudy({ 'l2-sp': [0.7, 0.7], 'l2-sp+rifle': [0.71, 0.71] }, with2(0.1)),
      ...syntheticStudy({ 'l2-sp': [0.8, 0.8], 'l2-sp+rifle': [0.83, 0.83] }, with2(0.01)),
      ...syntheticStudy({ 'l2-sp+rifle': [0.9] }, with2(0.5)),
    ];
    const rows = regularizersTable(choices).rows.filter(({ method }) => String(method).startsWith('L2-SP'));
    assert.deepEqual(
      rows.map(({ method, difference, without }) => [
        method,
        difference === null ? null : Math.round(difference as number),
        without === 'not run',
      ]),
      [
        ['L2-SP, alpha 0.01', 3, false],
        ['L2-SP, alpha 0.1', 1, false],
        ['L2-SP, alpha 0.5', null, true],
      ],
    );
  });

  it('puts the verdicts of several data sets together by the rule that it prints', () => {
    const both = regularizersTable([
      ...records,
      ...syntheticStudy({ 'fine-tuning': [0.8, 0.81], rifle: [0.79, 0.8], 'l2-sp': [0.6, 0.6] }, { dataset: 'cub10' }),
    ]);
    assert.deepEqual(
      both.rows.map(({ dataset, method }) => `${String(dataset)} ${String(method)}`),
      ['cub10 L2', 'cub10 L2-SP', 'cub10 DELTA', 'elpv L2', 'elpv L2-SP', 'elpv DELTA'],
    );
    has(
      both,
      /^Together: RIFLE on L2: mixed \(supported 1, contradicted 1\)\. RIFLE on L2-SP: inconclusive \(inconclusive 1, not run 1\)\./,
    );
  });

  it('says "failed" of a method one of whose runs failed, and averages nothing', () => {
    const broken = records.map((record) =>
      record.method === 'rifle' && record.spec.seed > 0
        ? failed(record, 2 + record.spec.seed, record.spec.seed === 1 ? 4.5 : null)
        : record,
    );
    const l2 = rowOf(regularizersTable(broken), 'L2');
    assert.deepEqual(
      [l2.with, l2.difference, l2.interval, l2.verdict, l2.status],
      ['failed (2 of 3 seeds, epochs 3 to 4)', null, null, 'failed', 'failed (2 of 3 seeds, epochs 3 to 4)'],
    );
    near((l2.without as Pair)[0], 81);
    const ids = broken.filter(({ status }) => status === 'failed').map(({ id }) => id);
    has(
      regularizersTable(broken),
      new RegExp(
        `^Failed: rifle on elpv .*: seed 1 in epoch 3 \\(last finite loss 4\\.500; run ${ids[0]}\\), seed 2 in epoch 4 \\(no finite loss before; run ${ids[1]}\\)`,
      ),
    );
    assert.doesNotMatch(regularizersTable(broken).toCsv(), /NaN/);
    const control = records.map((record) =>
      record.method === 'fine-tuning' && record.spec.seed === 0 ? failed(record, 1) : record,
    );
    assert.equal(rowOf(regularizersTable(control), 'L2').verdict, 'failed');
  });

  it('leaves out runs on a validation split: they only chose', () => {
    const validation = records.map((record) => ({
      ...record,
      id: `v${record.id}`,
      top1: 0.99,
      spec: { ...record.spec, evaluateOn: 'validation' as const },
    }));
    assert.deepEqual(regularizersTable([...records, ...validation]).rows, regularizersTable(records).rows);
  });

  it('gives bootstrap interval and signed-rank test where n allows', () => {
    const seeds = [0, 1, 2, 3, 4, 5];
    const many = regularizersTable(
      syntheticStudy({
        'l2-sp': seeds.map((seed) => 0.7 + seed / 100),
        'l2-sp+rifle': seeds.map((seed) => 0.71 + seed / 50),
      }),
    );
    const row = rowOf(many, 'L2-SP');
    assert.equal(row.wilcoxon, 0.03125);
    assert.ok((row.bootstrap as Pair)[0] > 1 && (row.bootstrap as Pair)[1]! < 6);
    assert.deepEqual(shown(many).slice(6, 9), ['difference', 'interval', 'bootstrap']);
  });
});

describe('tricksTable', () => {
  const records = syntheticStudy({
    'fine-tuning': [0.8, 0.81],
    rifle: [0.83, 0.84],
    dropout: [0.81, 0.82],
    'dropconnect-sample': [0.84, 0.86],
    'cyclic-lr': [0.83, 0.84],
  });
  const table = tricksTable(records);

  it('says how much RIFLE is above each trick', () => {
    const found = table.rows.map(({ method, difference, verdict }) => [
      method,
      difference === null ? null : Math.round(10 * (difference as number)) / 10,
      verdict,
    ]);
    assert.deepEqual(found, [
      ['Fine-tuning (L2)', 3, 'supported'],
      ['Dropout (head)', 2, 'supported'],
      ['Dropout (CNN)', null, 'not run'],
      ['DropConnect', null, 'not run'],
      ['DropConnect, whole samples', -1.5, 'inconclusive'],
      ['Stochastic Depth', null, 'not run'],
      ['Disturb Label', null, 'not run'],
      ['Cyclic LR', 0, 'contradicted'],
      ['RIFLE (L2)', null, null],
    ]);
    assert.deepEqual([table.rows[1].treated, table.rows[1].control], ['rifle', 'dropout']);
    has(
      table,
      /RIFLE above every method on elpv · efficientnet_lite0\.tf_in1k: mixed \(supported 2, inconclusive 1, contradicted 1, not run 4\)/,
    );
    has(table, /Holm's correction for the 4 claims/);
    has(table, /^RIFLE \(ICML 2020\), abstract: 0\.5 to 2 percentage points/);
  });

  it('has a row for each rate of a trick, named by it', () => {
    const rates = [0.2, 0.5].flatMap((rate) =>
      syntheticStudy({ dropout: [0.8] }, { spec: { trick: { name: 'dropout', rate, at: 'head' } } }),
    );
    const labels = tricksTable([...records.filter(({ method }) => method !== 'dropout'), ...rates])
      .rows.map(({ method, status }) => [method, status])
      .filter(([method]) => String(method).startsWith('Dropout (head)'));
    assert.deepEqual(labels, [
      ['Dropout (head), rate 0.2', 'finished'],
      ['Dropout (head), rate 0.5', 'finished'],
    ]);
    const other = tricksTable([
      ...records.filter(({ method }) => method !== 'dropout'),
      ...syntheticStudy({ dropout: [0.8] }, { spec: { trick: { name: 'dropout', rate: 0.5, at: 'head' } } }),
    ]);
    assert.ok(
      other.rows.some(({ method }) => method === 'Dropout (head), rate 0.5'),
      'a rate that is not the default is named',
    );
  });

  it('says once which seeds found no partner', () => {
    const [more] = syntheticStudy({ rifle: [0.9] });
    const table = tricksTable([...records, { ...more, id: 'seed-9', spec: { ...more.spec, seed: 9 } }]);
    assert.deepEqual(
      table.notes.filter((note) => note.includes('only those are paired')),
      [
        'rifle: 2 of 3 seeds were also run with fine-tuning, dropout, dropconnect-sample and cyclic-lr; only those are paired.',
      ],
    );
  });

  it('does not take a trick on top of RIFLE for the trick', () => {
    const row = rowOf(
      tricksTable([...records, ...syntheticStudy({ 'disturb-label+rifle': [0.9, 0.9] })]),
      'Disturb Label',
    );
    assert.equal(row.status, 'not run');
  });
});

describe('architecturesTable', () => {
  it('has one row a backbone, and the planned ones', () => {
    const backbones = ['resnet50.tv_in1k', 'mobilenet_v2.tv_in1k'];
    const records = backbones.flatMap((backbone, i) =>
      syntheticStudy({ 'fine-tuning': [0.8, 0.81], rifle: [0.81 + i / 100, 0.82 + i / 100] }, { backbone }),
    );
    const table = architecturesTable(records, {
      planned: [...backbones, 'inception_v3.tv_in1k'].map((backbone) => ({ dataset: 'elpv', backbone })),
    });
    assert.deepEqual(
      table.rows.map(({ backbone, verdict }) => [backbone, verdict]),
      [
        ['inception_v3.tv_in1k', 'not run'],
        ['mobilenet_v2.tv_in1k', 'supported'],
        ['resnet50.tv_in1k', 'supported'],
      ],
    );
    has(table, /RIFLE across backbones on elpv: supported \(supported 2, not run 1\)/);
    has(table, /npx rifle sweep --study t4`/);
    assert.ok(!shown(table).includes('method'));
  });

  it('takes regularised runs and variants for something else', () => {
    const others = syntheticStudy({ 'l2-sp': [0.9], 'l2-sp+rifle': [0.95], 'rifle:rifle-module': [0.99] });
    const [row] = architecturesTable([
      ...others,
      syntheticRecord({ top1: 0.8 }),
      syntheticRecord({ method: 'rifle', top1: 0.81 }),
    ]).rows;
    near(row.difference, 1);
  });
});
