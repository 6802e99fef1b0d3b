// Heat maps as paths: which cells have which colour.
import assert from 'node:assert/strict';
import { colorAt, heatmapsAsPaths, type HeatmapTrace } from '../../../src/report/drawing/heat-cells';
import { SEQUENTIAL } from '../../../src/report/drawing/figure-style';

const GREY = [
  [0, '#000000'],
  [0.5, '#808080'],
  [1, '#ffffff'],
] as const;

describe('heatmapsAsPaths', () => {
  const map: HeatmapTrace = {
    type: 'heatmap',
    x: [1, 2, 3],
    y: [0, 1],
    z: [
      [0, 0, 1],
      [null, 2, -5],
    ],
    zmin: 0,
    zmax: 1,
    colorscale: GREY,
    xaxis: 'x2',
    yaxis: 'y2',
  };
  const line = { type: 'scatter', x: [1], y: [1] };

  it('draws neighbours of one colour as one rectangle, leaves out what is missing, and clips', () => {
    const mark = { type: 'line' };
    const { data, layout } = heatmapsAsPaths({ data: [line, map], layout: { shapes: [mark] } });
    const shapes = layout.shapes as object[] as { path: string; fillcolor: string; xref: string; yref: string }[];
    assert.deepEqual(
      shapes.slice(0, 2).map(({ path, fillcolor, xref, yref }) => [path, fillcolor, xref, yref]),
      [
        ['M0.5,-0.5H2.5V0.5H0.5ZM2.5,0.5H3.5V1.5H2.5Z', '#000000', 'x2', 'y2'],
        ['M2.5,-0.5H3.5V0.5H2.5ZM1.5,0.5H2.5V1.5H1.5Z', '#ffffff', 'x2', 'y2'],
      ],
    );
    assert.deepEqual([shapes[2], data[0]], [mark, line], 'other shapes lie above, other traces stay');
    assert.equal((data[1] as { type: string }).type, 'scatter');
  });

  it('leaves drawings without heat maps alone', () => {
    const drawing = { data: [line], layout: {} };
    assert.equal(heatmapsAsPaths(drawing), drawing);
  });

  it('mixes the colours between which a value lies', () => {
    assert.deepEqual(
      [0, 0.25, 0.5, 0.75, 1].map((place) => colorAt(GREY, place)),
      ['#000000', '#404040', '#808080', '#c0c0c0', '#ffffff'],
    );
    // viridis at the middle, as matplotlib has it.
    assert.equal(colorAt(SEQUENTIAL, 0.5), '#21918c');
  });
});
