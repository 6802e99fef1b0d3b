// The images that a run gets most wrong: what they are, what it says, and where it looks.
import path from 'node:path';
import { sharp } from '../../base/packages';
import { KitError } from '../../base/errors';
import { datasets } from '../../data/catalog';
import type { Dataset } from '../../data/dataset';
import { argMax, negativeLogLikelihood, rowOf, softmax } from '../../metrics/logits';
import { classifier, type ActivationMap } from '../../predict/classifier';
import { cardOf } from '../../runs/export/model-card';
import type { RunPredictions } from '../../runs/store/predictions';
import type { RunRecord } from '../../runs/store/record';
import { RunStore } from '../../runs/store/store';
import { Picture } from './pictures';

/** One image and what the run says about it. */
export interface ImageLoss {
  /** Relative to the data set's folder. */
  file: string;
  /** Names of the given class and of the predicted one. */
  given: string;
  predicted: string;
  /** Softmax probabilities of the two. */
  givenProbability: number;
  predictedProbability: number;
  /** Cross entropy, nats. */
  loss: number;
}

/** Options of `topLosses`. */
export interface TopLossesOptions {
  /** How many images. Default 12. */
  k?: number;
  /** The store of the run. Default: that of the kit. */
  runs?: RunStore | string;
  /** The data set of the run, whole. Default: the one that the run was trained on. */
  dataset?: Dataset;
  /** Also show class activation maps of the predicted class; needs kept weights. Default false. */
  heat?: boolean;
  /** Side of an image in the picture, pixels. Default 160. */
  side?: number;
}

/** The images with the largest loss, largest first. */
export function largestLosses(predictions: RunPredictions, k: number): ImageLoss[] {
  const { labels, files, classNames } = predictions;
  return files
    .map((file, i): ImageLoss => {
      const row = rowOf(predictions, i);
      const [probabilities, predicted] = [softmax(row), argMax(row)];
      return {
        file,
        given: classNames[labels[i]],
        predicted: classNames[predicted],
        givenProbability: probabilities[labels[i]],
        predictedProbability: probabilities[predicted],
        loss: negativeLogLikelihood(row, labels[i]),
      };
    })
    .sort((a, b) => b.loss - a.loss)
    .slice(0, k);
}

/**
 * The kept predictions of a run: the logits of every image that it was evaluated on in its last epoch.
 * @param runs the store of the run. Default: that of the kit.
 * @throws KitError `RUN_NO_PREDICTIONS`.
 */
export async function predictionsOf(
  { id }: Pick<RunRecord, 'id'>,
  runs: RunStore | string = new RunStore(),
): Promise<RunPredictions> {
  const store = runs instanceof RunStore ? runs : new RunStore(runs);
  const predictions = await store.predictions(id);
  if (predictions !== null) return predictions;
  throw new KitError(`The run ${id} has no predictions: it is not finished, or is from kit 0.1.`, {
    code: 'RUN_NO_PREDICTIONS',
    fix: `Repeat it: npx rifle runs prune ${id} --yes, then npx rifle train with the same options.`,
  });
}

/**
 * A picture of the images with the largest loss: image, given class, predicted class and probabilities.
 * @throws KitError `RUN_NO_PREDICTIONS`; with `heat` as `classifier`.
 */
export async function topLosses(record: Pick<RunRecord, 'id'>, options: TopLossesOptions = {}): Promise<Picture> {
  const { k = 12, heat = false, side = 160 } = options;
  const store = options.runs instanceof RunStore ? options.runs : new RunStore(options.runs);
  const found = largestLosses(await predictionsOf(record, store), k);
  const root = (options.dataset ?? (await datasetOf(store, record.id))).root;
  const files = found.map(({ file }) => path.join(root, file));
  const { dataset, evaluatedOn, top1 } = store.find(record.id)!;
  const { resizeSize, imageSize } = cardOf(store.find(record.id)!);
  const scale = resizeSize / imageSize;
  const maps = heat ? await mapsOf(store, record.id, files) : new Map<string, ActivationMap>();
  const rows = await Promise.all(
    found.map(async (each, i) => ({ label: textOf(each), png: await tile(files[i], maps.get(files[i]), side, scale) })),
  );
  const width = heat ? 2 * side : side;
  const png = await sharp()({
    create: { width, height: Math.max(1, rows.length) * side, channels: 3, background: 'white' },
  })
    .composite(rows.map(({ png: input }, i) => ({ input, left: 0, top: i * side })))
    .png()
    .toBuffer();
  return new Picture({
    title: `${dataset.name}: the ${rows.length} ${evaluatedOn} images with the largest loss, run ${record.id}`,
    caption:
      `Top-1 ${(100 * top1).toFixed(1)} %. Largest loss first.` +
      (heat ? ' On the right, red marks the places that speak for the predicted class.' : ''),
    png,
    rows,
  });
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;

const textOf = ({ file, given, predicted, givenProbability, predictedProbability, loss }: ImageLoss): string =>
  `${file}: given ${given} (${percent(givenProbability)}), ` +
  `predicted ${predicted} (${percent(predictedProbability)}), loss ${loss.toFixed(2)}`;

/** The data set that a run was trained on: its journal names the folder. */
async function datasetOf(store: RunStore, id: string): Promise<Dataset> {
  const started = store
    .journal(id)
    .read()
    .find(({ event }) => event === 'started') as { dataset?: { from: string } } | undefined;
  return datasets.load(started?.dataset?.from ?? store.find(id)!.spec.dataset);
}

async function mapsOf(store: RunStore, id: string, files: readonly string[]): Promise<Map<string, ActivationMap>> {
  const model = await classifier(id, { runs: store });
  try {
    const { predictions } = await model.predict(files, { maps: true });
    return new Map(predictions.map(({ file, map }) => [file, map!]));
  } finally {
    model.dispose();
  }
}

/**
 * What the network sees of an image: the centre square of `side` pixels of `side * scale`. Beside it, where there is a
 * map, the same with the map over it.
 */
async function tile(file: string, map: ActivationMap | undefined, side: number, scale: number): Promise<Buffer> {
  const whole = Math.round(side * scale);
  const [left, top] = [Math.floor((whole - side) / 2), Math.floor((whole - side) / 2)];
  const plain = await sharp()(file)
    .resize(whole, whole, { fit: 'cover' })
    .extract({ left, top, width: side, height: side })
    .toColourspace('srgb')
    .removeAlpha()
    .png()
    .toBuffer();
  if (map === undefined) return plain;
  const most = Math.max(...map.values);
  const colours = Uint8Array.from({ length: 4 * map.values.length }, (_, i) => {
    const strength = most > 0 ? Math.max(0, map.values[i >> 2]) / most : 0;
    return [255, 200 * (1 - strength), 0, 170 * strength][i & 3];
  });
  const overlay = await sharp()(colours, { raw: { width: map.width, height: map.height, channels: 4 } })
    .resize(side, side, { fit: 'fill' })
    .png()
    .toBuffer();
  return sharp()({ create: { width: 2 * side, height: side, channels: 3, background: 'white' } })
    .composite([
      { input: plain, left: 0, top: 0 },
      { input: plain, left: side, top: 0 },
      { input: overlay, left: side, top: 0 },
    ])
    .removeAlpha()
    .png()
    .toBuffer();
}
