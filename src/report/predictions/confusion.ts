// The confusion figure: which class is taken for which, as a heat map.
import { classScores, confusionMatrix } from '../../metrics/classification';
import type { RunPredictions } from '../../runs/store/predictions';
import { QUIET_AXIS } from '../drawing/axes';
import { INK, SEQUENTIAL } from '../drawing/figure-style';
import { figureLayout, headingOf } from '../drawing/heading';
import type { HeatmapTrace } from '../drawing/heat-cells';
import { plotText } from '../drawing/plot-text';
import { textWidth } from '../drawing/text-metrics';
import { Table } from '../table/tabular';
import { Figure } from '../figures/figure';

/** The predictions of runs on the same images, one after the other, for counts over several seeds. */
export function pooledPredictions(runs: readonly RunPredictions[]): RunPredictions {
  const [first] = runs;
  return {
    ...first,
    logits: Float32Array.from(runs.flatMap(({ logits }) => [...logits])),
    labels: Int32Array.from(runs.flatMap(({ labels }) => [...labels])),
    files: runs.flatMap(({ files }) => files),
  };
}

/** Options of `confusionFigure` and `reliabilityFigure`. */
export interface PredictionFigureOptions {
  title?: string;
  /** Width of the figure in pixels. Default 560. */
  width?: number;
}

/** Up to so many classes, each cell shows its number of images. */
const NUMBERED = 12;
/** Font size of class names, and the room below the map for the axis title and the colour bar, px. */
const [NAME, BELOW] = [10, 112];

/**
 * The images of each class (rows) by the class that was predicted (columns). A colour is the share of the row's images;
 * up to 12 classes, the number of images stands in the cell. Names are left out where there is no room for all.
 * @throws KitError `METRICS_SHAPE` when sizes and labels do not fit.
 */
export function confusionFigure(predictions: RunPredictions, options: PredictionFigureOptions = {}): Figure {
  const { title = 'Which class is taken for which', width = 560 } = options;
  const { classNames, files, evaluatedOn, epoch } = predictions;
  const matrix = confusionMatrix(predictions);
  const scores = classScores(matrix);
  const shares = matrix.map((row, label) => row.map((images) => images / Math.max(1, scores[label].support)));
  const right = scores.reduce((sum, _, label) => sum + matrix[label][label], 0);
  const subtitle = `${right} of ${files.length} ${evaluatedOn} images are right, epoch ${epoch}`;
  const caption = `${title}. Rows: class of the image. Columns: predicted class. ${subtitle}.`;
  return new Figure({
    title,
    caption,
    ...draw(matrix, shares, { title, subtitle, width, names: classNames }),
    numbers: new Table({
      title,
      caption,
      columns: [
        { key: 'class', title: 'Class', group: true },
        { key: 'predicted', title: 'Predicted as' },
        { key: 'images', title: 'Images', kind: 'number', digits: 0 },
        { key: 'share', title: 'Share of the class', kind: 'number', digits: 4 },
      ],
      rows: matrix.flatMap((row, label) =>
        row.map((images, predicted) => ({
          class: classNames[label],
          predicted: classNames[predicted],
          images,
          share: shares[label][predicted],
        })),
      ),
      notes: [],
    }),
  });
}

function draw(
  matrix: readonly number[][],
  shares: (number | null)[][],
  { title, subtitle, width, names }: { title: string; subtitle: string; width: number; names: readonly string[] },
): { data: Record<string, unknown>[]; layout: { width: number; height: number } & Record<string, unknown> } {
  const count = names.length;
  const longest = Math.max(...names.map((name) => textWidth(name, NAME)));
  const isNamed = (width - 40) / count >= NAME + 2 && longest < width / 3;
  const left = 46 + (isNamed ? longest : 24);
  const right = 16;
  const side = width - left - right;
  const heading = headingOf(title, subtitle, width, left);
  const top = heading.height;
  const bottom = BELOW + (isNamed ? longest : 12);
  const { annotations, ...frame } = figureLayout(heading, {
    width,
    height: top + side + bottom,
    top,
    right,
    bottom,
    left,
  });
  const places = names.map((_, i) => i);
  const axis = {
    ...QUIET_AXIS,
    showgrid: false,
    ...(isNamed
      ? { tickmode: 'array', tickvals: places, ticktext: names.map(plotText), tickfont: { size: NAME } }
      : { tick0: 0, dtick: Math.max(1, 10 ** Math.floor(Math.log10(count))), tickfont: { size: NAME } }),
  };
  const what = isNamed ? 'class' : 'class, by its number';
  const map: HeatmapTrace = {
    type: 'heatmap',
    x: places,
    y: places,
    z: shares,
    zmin: 0,
    zmax: 1,
    colorscale: SEQUENTIAL,
    customdata: matrix.map((row, i) => row.map((images, j) => [plotText(names[i]), plotText(names[j]), images])),
    hovertemplate: '%{customdata[0]}, predicted as %{customdata[1]}<br>%{customdata[2]} images<extra></extra>',
    colorbar: {
      orientation: 'h',
      x: 0,
      xanchor: 'left',
      y: -(bottom - 62) / side,
      yanchor: 'top',
      len: Math.min(200, 0.9 * side),
      lenmode: 'pixels',
      thickness: 10,
      outlinewidth: 0,
      xpad: 0,
      ypad: 0,
      tickvals: [0, 0.5, 1],
      ticktext: ['0', '50 %', '100 %'],
      tickfont: { size: 11 },
      title: { text: 'share of the images of a class', side: 'top', font: { size: 12 } },
    },
  };
  const numbers = matrix.flatMap((row, i) =>
    row.map((images, j) => ({
      x: j,
      y: i,
      text: String(images),
      showarrow: false,
      font: { size: 11, color: shares[i][j]! > 0.6 ? INK.text : INK.paper },
    })),
  );
  return {
    data: [map],
    layout: {
      ...frame,
      hovermode: 'closest',
      annotations: [...annotations, ...(count <= NUMBERED ? numbers : [])],
      xaxis: {
        ...axis,
        range: [-0.5, count - 0.5],
        tickangle: isNamed ? -90 : 0,
        title: { text: `predicted ${what}`, standoff: 6, font: { size: 12 } },
      },
      yaxis: {
        ...axis,
        range: [count - 0.5, -0.5],
        title: { text: what, standoff: 6, font: { size: 12 } },
      },
    },
  };
}
