// Heat maps as paths: plotly paints them on a canvas, which a page without a browser does not have, and paths stay
// sharp at any size.

/**
 * What is needed of a plotly `heatmap` trace: a number or nothing in each cell, colours by `colorscale` between `zmin`
 * and `zmax`.
 */
export interface HeatmapTrace extends Record<string, unknown> {
  type: 'heatmap';
  /** Centres of columns and rows, one apart. */
  x: readonly number[];
  y: readonly number[];
  z: readonly (readonly (number | null)[])[];
  zmin: number;
  zmax: number;
  /** From [0, colour] to [1, colour], `#rrggbb`. */
  colorscale: readonly (readonly [number, string])[];
  showscale?: boolean;
  colorbar?: object;
  xaxis?: string;
  yaxis?: string;
}

interface Drawn {
  data: readonly object[];
  layout: Record<string, unknown>;
}

/** Colours that cells are rounded to: more than an eye can tell apart side by side. */
const LEVELS = 48;

/**
 * The drawing with a path for each colour of each heat map in its place, under all other shapes. Its colour bar stays.
 */
export function heatmapsAsPaths<D extends Drawn>(drawing: D): D {
  const isHeatmap = (trace: object): trace is HeatmapTrace => (trace as { type?: string }).type === 'heatmap';
  const maps = drawing.data.filter(isHeatmap);
  if (maps.length === 0) return drawing;
  const shapes = [...maps.flatMap(pathsOf), ...((drawing.layout.shapes as object[] | undefined) ?? [])];
  return {
    ...drawing,
    data: drawing.data.map((trace) => (isHeatmap(trace) ? standIn(trace) : trace)),
    layout: { ...drawing.layout, shapes },
  };
}

/** An invisible trace that keeps a heat map's axes and colour bar alive. */
function standIn({ x, y, zmin, zmax, colorscale, showscale = true, colorbar, xaxis, yaxis }: HeatmapTrace): object {
  const marker = { size: 1, opacity: 0, color: [zmin], cmin: zmin, cmax: zmax, colorscale, showscale, colorbar };
  return { type: 'scatter', mode: 'markers', x: [x[0]], y: [y[0]], hoverinfo: 'skip', marker, xaxis, yaxis };
}

/** One path a colour; neighbours in a row are one rectangle. */
function pathsOf({ x, y, z, zmin, zmax, colorscale, xaxis = 'x', yaxis = 'y' }: HeatmapTrace): object[] {
  const levelOf = (value: number | null): number | null =>
    value === null || !Number.isFinite(value)
      ? null
      : Math.round((LEVELS - 1) * Math.min(1, Math.max(0, (value - zmin) / (zmax - zmin || 1))));
  const parts = new Map<number, string[]>();
  y.forEach((row, i) => {
    for (let from = 0; from < x.length;) {
      const level = levelOf(z[i][from]);
      let to = from + 1;
      while (to < x.length && levelOf(z[i][to]) === level) to++;
      if (level !== null) {
        const part = `M${x[from] - 0.5},${row - 0.5}H${x[to - 1] + 0.5}V${row + 0.5}H${x[from] - 0.5}Z`;
        const known = parts.get(level);
        if (known) known.push(part);
        else parts.set(level, [part]);
      }
      from = to;
    }
  });
  return [...parts]
    .sort(([a], [b]) => a - b)
    .map(([level, paths]) => {
      const color = colorAt(colorscale, level / (LEVELS - 1));
      // A thin line of the same colour closes the seams that smoothing leaves between neighbours.
      return {
        type: 'path',
        path: paths.join(''),
        xref: xaxis,
        yref: yaxis,
        layer: 'below',
        fillcolor: color,
        line: { color, width: 0.6 },
      };
    });
}

/** The colour at `place` in [0, 1], between its neighbours in the scale. */
export function colorAt(scale: HeatmapTrace['colorscale'], place: number): string {
  const after = Math.max(
    1,
    scale.findIndex(([at]) => at >= place),
  );
  const [[from, low], [to, high]] = [scale[after - 1], scale[after]];
  const part = to === from ? 0 : (place - from) / (to - from);
  const channel = (at: number): string => {
    const [a, b] = [low, high].map((color) => parseInt(color.slice(at, at + 2), 16));
    return Math.round(a + (b - a) * part)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}
