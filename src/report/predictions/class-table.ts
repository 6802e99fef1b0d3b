// The table of classes: how well a run recognises each, and what it is taken for.
import { classificationMetrics, classScores, confusedPairs, confusionMatrix } from '../../metrics/classification';
import type { RunPredictions } from '../../runs/store/predictions';
import { Table } from '../table/tabular';

/**
 * One row a class, in the order of the classes: its images, recall (its accuracy), precision, F1, and the class that it
 * is taken for most often. Definitions are scikit-learn's.
 * @throws KitError `METRICS_SHAPE` when sizes and labels do not fit.
 */
export function classTable(predictions: RunPredictions, { title = 'Classes' }: { title?: string } = {}): Table {
  const { classNames, files, evaluatedOn, epoch } = predictions;
  const matrix = confusionMatrix(predictions);
  const { top1, meanPerClass, macroF1 } = classificationMetrics(predictions);
  const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;
  const pairs = confusedPairs(matrix, Infinity);
  return new Table({
    id: 'classes',
    title,
    caption:
      `${files.length} ${evaluatedOn} images, epoch ${epoch}. Top-1 ${percent(top1)}, ` +
      `mean per class ${percent(meanPerClass)}, macro F1 ${percent(macroF1)}.`,
    columns: [
      { key: 'class', title: 'Class' },
      { key: 'images', title: 'Images', kind: 'number', digits: 0 },
      { key: 'recall', title: 'Recall', unit: '%', kind: 'number', digits: 1 },
      { key: 'precision', title: 'Precision', unit: '%', kind: 'number', digits: 1 },
      { key: 'f1', title: 'F1', unit: '%', kind: 'number', digits: 1 },
      { key: 'takenFor', title: 'Most often taken for' },
    ],
    rows: classScores(matrix).map(({ label, support, recall, precision, f1 }) => {
      const most = pairs.find((pair) => pair.label === label);
      return {
        class: classNames[label],
        images: support,
        recall: recall === null ? null : 100 * recall,
        precision: 100 * precision,
        f1: 100 * f1,
        takenFor: most === undefined ? null : `${classNames[most.predicted]} (${most.count})`,
      };
    }),
    notes: [],
  });
}
