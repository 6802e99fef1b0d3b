// The figures of layers: every layer is there, input side first, resets are marked, and the numbers come out as CSV.
import assert from 'node:assert/strict';
import type { LayerRow } from '../../../src/runs/store/record';
import { gradientHeatmap } from '../../../src/report/figures/gradient-heatmap';
import type { HeatmapTrace } from '../../../src/report/drawing/heat-cells';
import { layerDistanceFigure, layerGradientFigure } from '../../../src/report/figures/layer-figures';
import { shortName } from '../../../src/report/figures/layered-groups';
import { gradientDepthFigure } from '../../../src/report/figures/depth-figure';
import type { Figure } from '../../../src/report/figures/figure';
import { LAYERS, syntheticLayers } from '../layers';
import { within } from '../within';
import { hasCode } from '../code';

interface Trace {
  name: string;
  x: number[];
  y: number[];
  xaxis: string;
}
const traces = (figure: Figure): Trace[] => figure.data as unknown as Trace[];
const axis = (figure: Figure, name: string): { ticktext: string[]; range: number[]; type?: string } =>
  figure.layout[name] as { ticktext: string[]; range: number[] };
const runs = syntheticLayers({ 'fine-tuning': [0.8, 0.84], rifle: [0.9, 0.82] });
const csv = (figure: Figure): Record<string, string>[] => {
  const cells = (line: string): string[] =>
    [...line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted ?? plain);
  const [head, ...rows] = figure.toCsv().trim().split('\n').map(cells);
  return rows.map((row) => Object.fromEntries(row.map((cell, i) => [head[i], cell])));
};
const near = (found: number, expected: number): void =>
  assert.ok(Math.abs(found - expected) <= 1e-9 * Math.abs(expected), `expected ${expected}, found ${found}`);
const rowOf = (method: string, seed: number, epoch: number, layer: string): LayerRow =>
  runs
    .find(({ record }) => record.method === method && record.spec.seed === seed)!
    .layers.find((row) => row.epoch === epoch && row.layer === layer)!;

describe('layerDistanceFigure', () => {
  const figure = layerDistanceFigure(runs);

  it('shows every layer after the last epoch, input side first, on a logarithmic scale', () => {
    // Panels of convolutions, their ratios, normalisations, their ratios: the names stand under the ratios.
    assert.deepEqual(axis(figure, 'xaxis2').ticktext, ['conv_stem', '0 depthwise', '0 project', 'fc']);
    assert.deepEqual(axis(figure, 'xaxis4').ticktext, ['bn0', '0 bn1', '0 bn2']);
    assert.deepEqual([axis(figure, 'yaxis').type, axis(figure, 'yaxis3').type], ['log', 'log']);
    const line = traces(figure).find(({ name, xaxis }) => name === 'rifle (n = 2)' && xaxis === 'x')!;
    assert.deepEqual(line.x, [0, 1, 2, 3]);
    near(line.y[3], (rowOf('rifle', 0, 8, '_fc').weightDistance + rowOf('rifle', 1, 8, '_fc').weightDistance) / 2);
    const high = traces(figure).find(({ name, xaxis }) => name === 'rifle, high' && xaxis === 'x')!;
    const ratio = traces(figure).find(({ name, xaxis }) => name === 'rifle (n = 2)' && xaxis === 'x2')!;
    near(
      ratio.y[3],
      Math.sqrt(
        [0, 1].reduce(
          (product, seed) =>
            (product * rowOf('rifle', seed, 8, '_fc').weightDistance) /
            rowOf('fine-tuning', seed, 8, '_fc').weightDistance,
          1,
        ),
      ),
    );
    near(Number(csv(figure).find(({ method, layer }) => method === 'rifle' && layer === '_fc')!.ratio), ratio.y[3]);
    assert.ok(!('xaxis3' in layerDistanceFigure(runs.slice(0, 2)).layout), 'one method has no ratio');
    near(
      high.y[0],
      Math.max(rowOf('rifle', 0, 8, '_conv_stem').weightDistance, rowOf('rifle', 1, 8, '_conv_stem').weightDistance),
    );
  });

  it('has a row of numbers for each method and layer, and another epoch and quantity on request', () => {
    const rows = csv(figure);
    assert.equal(rows.length, 2 * LAYERS.length);
    const head = rows.find(({ method, layer }) => method === 'fine-tuning' && layer === '_fc')!;
    assert.deepEqual([head.kind, head.place, head.epoch, head.n], ['head', '6', '8', '2']);
    near(
      Number(head.mean),
      (rowOf('fine-tuning', 0, 8, '_fc').weightDistance + rowOf('fine-tuning', 1, 8, '_fc').weightDistance) / 2,
    );
    const gradients = csv(layerGradientFigure(runs, { epoch: 5, kinds: ['kernel'] }));
    assert.equal(gradients.length, 2 * 4);
    near(
      Number(gradients[0].low),
      Math.min(...[0, 1].map((seed) => rowOf('fine-tuning', seed, 5, '_conv_stem').gradientNorm)),
    );
    assert.throws(() => layerDistanceFigure(runs, { epoch: 9 }), hasCode('FIGURE_NO_ROWS'));
    assert.throws(() => layerDistanceFigure([]), hasCode('FIGURE_NO_RUNS'));
    assert.throws(() => layerDistanceFigure([{ ...runs[0], layers: [] }]), hasCode('FIGURE_NO_LAYERS'));
  });
});

describe('gradientDepthFigure', () => {
  const figure = gradientDepthFigure(runs);

  it('puts convolutions in parts by depth, beside the head, on one scale, and marks resets', () => {
    const rows = csv(figure);
    assert.deepEqual([...new Set(rows.map(({ part }) => part))].length, 4);
    assert.ok('xaxis4' in figure.layout && !('xaxis5' in figure.layout));
    assert.deepEqual(axis(figure, 'yaxis').range, axis(figure, 'yaxis4').range);
    const shapes = figure.layout.shapes as { x0: number; xref: string }[];
    assert.deepEqual(
      shapes.map(({ x0, xref }) => [x0, xref]),
      ['x', 'x2', 'x3', 'x4'].map((xref) => [4.5, xref]),
    );
    assert.deepEqual(
      [...new Set(rows.filter(({ reset }) => reset === 'yes').map(({ method, epoch }) => `${method} ${epoch}`))],
      ['rifle 4'],
    );
    const two = csv(gradientDepthFigure(runs, { parts: 1 }));
    const first = two.find(({ method, epoch, part }) => method === 'rifle' && epoch === '3' && part !== 'head')!;
    const geometric = [0, 1].map((seed) =>
      Math.cbrt(
        ['_conv_stem', '_blocks.0._depthwise_conv', '_blocks.0._project_conv'].reduce(
          (product, layer) => product * rowOf('rifle', seed, 3, layer).gradientNorm,
          1,
        ),
      ),
    );
    near(Number(first.mean), (geometric[0] + geometric[1]) / 2);
  });

  it('is of one group', () => {
    assert.throws(
      () => gradientDepthFigure([...runs, ...syntheticLayers({ rifle: [0.5] }, { dataset: 'other' })]),
      hasCode('FIGURE_SEVERAL_GROUPS'),
    );
  });
});

describe('gradientHeatmap', () => {
  const figure = gradientHeatmap(runs);
  const maps = figure.data as unknown as (HeatmapTrace & { name: string })[];

  it('has a map of layers by epochs for each method on one scale, and one of the ratio', () => {
    assert.deepEqual(
      maps.map(({ name }) => name),
      ['fine-tuning', 'rifle', 'rifle / fine-tuning'],
    );
    assert.deepEqual([maps[0].zmin, maps[0].zmax], [maps[1].zmin, maps[1].zmax]);
    assert.equal(Math.max(...maps.slice(0, 2).flatMap(({ z }) => z.flat() as number[])), maps[0].zmax);
    const [geometric, other] = ['rifle', 'fine-tuning'].map((method) =>
      Math.sqrt(rowOf(method, 0, 5, '_fc').gradientNorm * rowOf(method, 1, 5, '_fc').gradientNorm),
    );
    near(maps[1].z[3][4]!, Math.log10(geometric));
    near(maps[2].z[3][4]!, Math.log2(geometric / other));
    assert.deepEqual(axis(figure, 'yaxis').range, [3.5, -0.5], 'the input side is at the top');
    assert.deepEqual(axis(figure, 'yaxis').ticktext, ['conv_stem', '0 depthwise', '0 project', 'fc']);
  });

  it('marks resets in the panels of their method, and gives its numbers', () => {
    const shapes = figure.layout.shapes as { x0: number; xref: string }[];
    assert.deepEqual([...new Set(shapes.map(({ x0, xref }) => `${xref} ${x0}`))], ['x2 4.5', 'x3 4.5']);
    const rows = csv(figure);
    assert.equal(rows.length, 2 * 4 * 8);
    const row = rows.find(({ method, layer, epoch }) => method === 'rifle' && layer === '_fc' && epoch === '5')!;
    near(Math.log10(Number(row.norm)), maps[1].z[3][4]!);
    near(Math.log2(Number(row.ratio)), maps[2].z[3][4]!);
    assert.equal(gradientHeatmap(runs, { ratios: false, kinds: ['norm'] }).data.length, 2);
    assert.throws(() => gradientHeatmap(runs, { kinds: [] }), hasCode('FIGURE_NO_LAYERS'));
  });
});

describe('the drawings of layers', function () {
  this.timeout(180_000);
  const many = Array.from({ length: 170 }, (_, i) => ({
    layer: `features.denseblock${i % 4}.denselayer${i}.conv1`,
    kind: 'kernel' as const,
  }));

  it('are the same bytes every time and cut no text, few layers or many, wide or narrow', async () => {
    const figures = [
      layerDistanceFigure(runs),
      gradientDepthFigure(runs),
      gradientHeatmap(runs),
      gradientHeatmap(runs, { width: 380 }),
    ];
    const deep = syntheticLayers({ 'fine-tuning': [0.8], rifle: [0.9] }, { epochs: 8 }, many);
    for (const figure of [...figures, layerDistanceFigure(deep), gradientHeatmap(deep)]) within(await figure.toSvg());
    const map = await gradientHeatmap(runs).toSvg();
    assert.equal(await gradientHeatmap(runs).toSvg(), map);
    assert.ok(!map.includes('<image') && /<path[^>]*fill-rule="evenodd"/.test(map), 'cells are paths');
  });

  it('shorten names to what sets them apart', () => {
    assert.deepEqual(
      [
        '_conv_stem',
        '_blocks.12._expand_conv',
        '_blocks.3._bn1',
        'layer1.0.conv2',
        'features.denseblock3.denselayer2.conv1',
        'res2a_branch2a',
        'features.1.conv.0.0',
        'fc',
      ].map(shortName),
      ['conv_stem', '12 expand', '3 bn1', 'layer1.0.conv2', 'block3.2.conv1', 'res2a_branch2a', '1.conv.0.0', 'fc'],
    );
  });
});
