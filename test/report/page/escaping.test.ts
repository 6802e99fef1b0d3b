// Everything that comes from a record is data: a record whose every text is an attack changes no page, figure or file.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { JSDOM } from 'jsdom';
import { layerDistanceFigure } from '../../../src/report/figures/layer-figures';
import { gradientHeatmap } from '../../../src/report/figures/gradient-heatmap';
import { exportAll, writeReport } from '../../../src/studies/results';
import '../../../src/studies/built-in';
import type { RunRecord } from '../../../src/runs/store/record';
import { syntheticLayers } from '../layers';

const ATTACK = `"'><script>alert(1)</script><img src=x onerror=alert(2)><a href="https://evil.example">x</a>$a$ \u001b[2J`;

/** Every text of `value` with the attack behind it, and every number of a field that is shown as text too. */
function attacked<T>(value: T, key = ''): T {
  if (typeof value === 'string') {
    const isControlled = ['status', 'method', 'evaluateOn', 'evaluatedOn', 'startedAt', 'finishedAt', 'hash'].includes(
      key,
    );
    return (isControlled ? value : `${value}${ATTACK}`) as T;
  }
  if (Array.isArray(value)) return value.map((each) => attacked(each as unknown)) as T;
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, attacked(each as unknown, name)]),
    ) as T;
  return value;
}

describe('a record full of payloads', function () {
  this.timeout(180_000);
  let folder: string;
  before(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-escaping-'))));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  const runs = syntheticLayers({ 'fine-tuning': [0.8, 0.81], rifle: [0.82, 0.83] }).map(({ record, layers }) => ({
    record: {
      ...attacked({ ...record, spec: { ...record.spec, rifle: null, regularizer: null, trick: null } }),
      spec: { ...record.spec, dataset: ATTACK, backbone: `net${ATTACK}` },
      method: record.method === 'rifle' ? `rifle${ATTACK}` : record.method,
    } as RunRecord,
    layers: layers.map((row) => ({ ...row, layer: `${row.layer}${ATTACK}` })),
  }));
  const records = runs.map(({ record }) => record);
  const failing: RunRecord = {
    ...records[3],
    id: `failed${ATTACK}`,
    status: 'failed',
    top1: NaN,
    spec: { ...records[3].spec, seed: ATTACK as unknown as number },
    failure: { epoch: ATTACK as unknown as number, lastLoss: null, message: ATTACK },
  };

  /** Checks that a document holds no element and no link that the kit does not make. */
  function isClean(source: string, type: 'text/html' | 'image/svg+xml'): void {
    const { document } = new JSDOM(source, { contentType: type }).window;
    assert.equal(document.querySelectorAll('script, img, iframe, object').length, 0);
    for (const link of document.querySelectorAll('a')) {
      const target = link.getAttribute('href') ?? link.getAttribute('xlink:href') ?? '';
      assert.match(target, /^#/, link.outerHTML);
    }
    for (const element of document.querySelectorAll('*'))
      for (const { name } of element.attributes) assert.doesNotMatch(name, /^on/, element.outerHTML.slice(0, 200));
  }

  it('runs nothing and links nowhere in the report', async () => {
    const file = await writeReport([...records, failing], {
      path: path.join(folder, 'report.html'),
      title: ATTACK,
      scale: ATTACK,
      notes: [ATTACK],
      sources: { layers: (id) => runs.find(({ record }) => record.id === id)?.layers ?? [] },
    });
    const page = fs.readFileSync(file, 'utf8');
    isClean(page, 'text/html');
    assert.ok(new JSDOM(page).window.document.body.textContent!.includes('<script>alert(1)</script>'), 'shown as text');
  });

  it('puts no markup into figures', async () => {
    for (const figure of [layerDistanceFigure(runs), gradientHeatmap(runs)]) {
      const svg = await figure.toSvg();
      isClean(svg, 'image/svg+xml');
      assert.match(svg, /&(?:lt|#60);script/, 'shown as text');
    }
  });

  it('puts no formula into CSV, no command into LaTeX, and no control character on the terminal', async () => {
    const formulas = records.map((record, i) => ({
      ...record,
      dataset: { ...record.dataset, name: `${['=1+1', '+1', '-1', '@sum'][i]}\\input{x}\u001b[2J` },
    }));
    for (const file of await exportAll(formulas, path.join(folder, 'files'), { sources: {} })) {
      const text = fs.readFileSync(file, 'utf8');
      if (file.endsWith('.csv')) assert.doesNotMatch(text, /(^|,)"?[=+@]/m, file);
      if (file.endsWith('.csv')) assert.doesNotMatch(text, /(^|,)"?-(?!\d+(\.\d+)?(e[+-]?\d+)?(,|$))/m, file);
      if (file.endsWith('.tex')) assert.doesNotMatch(text, /\\input/, file);
    }
    const { methodsTable } = await import('../../../src/report/tables/methods-table.js');
    assert.doesNotMatch(methodsTable(formulas).toText(), /\u001b/);
  });
});
