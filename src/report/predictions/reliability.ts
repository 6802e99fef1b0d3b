// The reliability diagram: how often the classifier is right when it says so (Guo et al., ICML 2017).
import { calibrationError, reliabilityBins, type ReliabilityBin } from '../../metrics/calibration';
import type { RunPredictions } from '../../runs/store/predictions';
import { QUIET_AXIS } from '../drawing/axes';
import { INK } from '../drawing/figure-style';
import { figureLayout, headingOf, ROOM } from '../drawing/heading';
import { Table } from '../table/tabular';
import type { PredictionFigureOptions } from './confusion';
import { Figure } from '../figures/figure';

/** Height of the plot, px. */
const HEIGHT = 300;

/**
 * Accuracy of the images by the probability of their predicted class, in 15 bins of equal width. On the diagonal,
 * probabilities are right; below it, the classifier is too sure.
 * @throws KitError `METRICS_SHAPE` when sizes and labels do not fit.
 */
export function reliabilityFigure(predictions: RunPredictions, options: PredictionFigureOptions = {}): Figure {
  const { title = 'Are the probabilities right?', width = 560 } = options;
  const bins = reliabilityBins(predictions).filter(({ images }) => images > 0);
  const error = (100 * calibrationError(predictions)).toFixed(1);
  const subtitle =
    `expected calibration error ${error} % over ${predictions.files.length} ${predictions.evaluatedOn} images; ` +
    'dashed: right probabilities';
  const caption =
    `${title} Bars: share of the images that are right, by the probability of the predicted class; ` + `${subtitle}.`;
  return new Figure({
    title,
    caption,
    ...draw(bins, { title, subtitle, width }),
    numbers: new Table({
      title,
      caption,
      columns: [
        { key: 'low', title: 'Probability above', kind: 'number', digits: 3 },
        { key: 'high', title: 'up to', kind: 'number', digits: 3 },
        { key: 'images', title: 'Images', kind: 'number', digits: 0 },
        { key: 'accuracy', title: 'Accuracy', kind: 'number', digits: 4 },
        { key: 'confidence', title: 'Mean probability', kind: 'number', digits: 4 },
      ],
      rows: bins.map((bin) => ({ ...bin })),
      notes: [],
    }),
  });
}

function draw(
  bins: readonly ReliabilityBin[],
  { title, subtitle, width }: { title: string; subtitle: string; width: number },
): { data: Record<string, unknown>[]; layout: { width: number; height: number } & Record<string, unknown> } {
  const heading = headingOf(title, subtitle, width, ROOM.left);
  const frame = figureLayout(heading, {
    width,
    height: heading.height + HEIGHT + ROOM.bottom,
    top: heading.height,
    right: 16,
    bottom: ROOM.bottom,
    left: ROOM.left,
  });
  const axis = { ...QUIET_AXIS, range: [0, 100], dtick: 20, tick0: 0 };
  return {
    data: [
      {
        type: 'bar',
        x: bins.map(({ low, high }) => 50 * (low + high)),
        y: bins.map(({ accuracy }) => 100 * accuracy!),
        width: bins.map(({ low, high }) => 96 * (high - low)),
        marker: { color: '#0072B2' },
        customdata: bins.map(({ images, confidence }) => [images, 100 * confidence!]),
        hovertemplate:
          '%{customdata[0]} images, mean probability %{customdata[1]:.1f} %<br>accuracy %{y:.1f} %<extra></extra>',
      },
    ],
    layout: {
      ...frame,
      hovermode: 'closest',
      shapes: [
        { type: 'line', x0: 0, y0: 0, x1: 100, y1: 100, line: { color: INK.text, width: 1.25, dash: '5px,4px' } },
      ],
      xaxis: {
        ...axis,
        title: { text: 'probability of the predicted class (%)', standoff: 6, font: { size: 12 } },
      },
      yaxis: { ...axis, title: { text: 'accuracy (%)', standoff: 6, font: { size: 12 } } },
    },
  };
}
