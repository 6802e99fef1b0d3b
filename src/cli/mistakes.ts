// What `rifle runs show RUN --mistakes` prints: metrics, scores of each class, confused classes, largest losses.
import fs from 'node:fs';
import pc from 'picocolors';
import type { RunStore } from '../runs/store/store';
import { percent, printJson, printLine, printList } from './print';

/** Flags of the command. */
export interface MistakesFlags {
  json?: boolean;
  mistakes?: boolean;
  /** A PNG file to write. */
  picture?: string;
}

/** Images with a large loss that are listed. */
const SHOWN = 12;

/** Prints the mistakes of the run `id`. @throws KitError `RUN_NO_PREDICTIONS`. */
export async function showMistakes(store: RunStore, id: string, { json, picture }: MistakesFlags): Promise<void> {
  const { classificationMetrics, classScores, confusedPairs, confusionMatrix } =
    await import('../metrics/classification.js');
  const { largestLosses, predictionsOf, topLosses } = await import('../report/pictures/mistakes.js');
  const predictions = await predictionsOf({ id }, store);
  const names = predictions.classNames;
  const matrix = confusionMatrix(predictions);
  const [metrics, scores] = [classificationMetrics(predictions), classScores(matrix)];
  const [pairs, losses] = [confusedPairs(matrix), largestLosses(predictions, SHOWN)];
  if (picture !== undefined)
    fs.writeFileSync(
      picture,
      (await topLosses({ id }, { runs: store, k: SHOWN, heat: store.weights(id) !== null })).png,
    );
  if (json) return printJson({ run: id, classes: names, metrics, confusion: matrix, scores, losses });
  const { top1, top5, meanPerClass, macroF1, nll, ece } = metrics;
  const title = (text: string): void => printLine(`\n${pc.bold(text)}`);
  printLine(
    `${predictions.files.length} ${predictions.evaluatedOn} images, epoch ${predictions.epoch}: top-1 ` +
      `${percent(top1)}, ` +
      `${top5 === null ? '' : `top-5 ${percent(top5)}, `}mean per class ${percent(meanPerClass)}, ` +
      `macro F1 ${percent(macroF1)}, NLL ${nll.toFixed(3)}, calibration error ${percent(ece)}`,
  );
  title('Classes');
  printList(
    ['class', 'images', 'recall', 'precision', 'F1'],
    scores.map(({ label, support, recall, precision, f1 }) => [
      names[label],
      support,
      recall === null ? '–' : percent(recall),
      percent(precision),
      percent(f1),
    ]),
  );
  title('Most confused');
  printList(
    ['class', 'predicted as', 'images', 'share'],
    pairs.map(({ label, predicted, count, share }) => [names[label], names[predicted], count, percent(share)]),
  );
  title('Largest losses');
  printList(
    ['image', 'given', 'predicted', 'loss'],
    losses.map(({ file, given, predicted, givenProbability, predictedProbability, loss }) => [
      file,
      `${given} ${percent(givenProbability)}`,
      `${predicted} ${percent(predictedProbability)}`,
      loss.toFixed(2),
    ]),
  );
  if (picture !== undefined) printLine(`\nWritten to ${picture}.`);
}
