// The weights of a run for use elsewhere, in several formats; each that the kit can load is checked by a prediction.
import fs from 'node:fs';
import path from 'node:path';
import { forwardWithMap } from '../../backbones/activation-maps';
import { backbones, type Backbone } from '../../backbones/backbone';
import { readSafetensors, writeSafetensors } from '../../backbones/weights/readers/safetensors';
import type { StateDict } from '../../backbones/weights/readers/state-dict';
import { makeAtomically } from '../../base/files/atomic';
import { KitError } from '../../base/errors';
import { freeze, type FrozenGraph } from '../../engine/graph/freeze';
import { encodeSavedModel } from '../../engine/graph/saved-model';
import { tf, type TF } from '../../engine/tensorflow';
import { sha256File } from '../../base/files/file-hash';
import type { RunStore } from '../store/store';
import { reportedWeights } from '../store/record';
import { CARD_FILE, CARD_NOTE, cardOf, type ModelCard } from './model-card';
import { loadExported } from './exported-model';
import { encodeOnnx } from './onnx-file';
import { onnxGraph } from './onnx-graph';
import { writeTfjsModel } from './tfjs-model';
import { writeTimmModel } from './timm-model';
import { embedModel, writeWebPage } from './web-page';

/**
 * `safetensors`: a file with the names of the pretrained weights. `onnx`: a file, uint8 pixels in. `timm`: a folder
 * that PyTorch Image Models loads. `tfjs`, `savedmodel`: a folder, int32 pixels in. `web`: a folder with a page that
 * classifies. All take RGB pixels 0..255 [batch, side, side, 3] but `safetensors` and `timm`, and give logits and
 * probabilities.
 */
export type ExportFormat = 'safetensors' | 'timm' | 'onnx' | 'tfjs' | 'savedmodel' | 'web';

/** Formats of a graph, with the weights inside. */
type GraphFormat = Exclude<ExportFormat, 'safetensors' | 'timm'>;

/** How far an exported model's logits may be from the kit's own, relative to the largest of them. */
const TOLERANCE = 1e-4;

/** What `exportRun` did. */
export interface Exported {
  path: string;
  /**
   * Largest difference of a logit from the kit's own on the images that were tried. `null` for formats that nothing in
   * the kit can load: `onnx`.
   */
  difference: number | null;
}

/** Where `format` goes by default: a file or folder named after the run. */
export const exportName = (id: string, format: ExportFormat): string =>
  format === 'safetensors' || format === 'onnx' ? `${id}.${format}` : `${id}-${format}`;

/**
 * Exports the weights of the run `id` to `to`, with its model card: classes, sizes, normalisation, licence.
 * @param which default: the weights that the record's `top1` is of.
 * @throws KitError `EXPORT_RUN_UNFINISHED`, `EXPORT_NO_WEIGHTS`, `EXPORT_WEIGHTS_CHANGED`, `EXPORT_EXISTS`,
 *   `EXPORT_TIMM_BACKBONE`, `EXPORT_ONNX_OP`, or `EXPORT_DIFFERS` when the export predicts something else.
 */
export async function exportRun(
  store: RunStore,
  id: string,
  { format, which, to }: { format: ExportFormat; which?: 'last' | 'best'; to: string },
): Promise<Exported> {
  const found = store.findWithSums(id);
  const weights = found && store.weights(id, which ?? reportedWeights(found.record));
  if (found === null || weights === null) {
    throw new KitError(`The run ${id} ${found === null ? 'is not finished' : 'did not keep its weights'}.`, {
      code: found === null ? 'EXPORT_RUN_UNFINISHED' : 'EXPORT_NO_WEIGHTS',
      fix: 'Repeat it with its weights kept (rifle train --keep-weights): it gives the same bits.',
    });
  }
  if (fs.existsSync(to))
    throw new KitError(`${to} exists already.`, { code: 'EXPORT_EXISTS', fix: 'Name another place with --out.' });
  const sum = found.checksums?.[path.basename(weights)];
  if (sum !== undefined && (await sha256File(weights)) !== sum)
    throw new KitError(`${weights} was changed after the run wrote it: its checksum is not the one in the record.`, {
      code: 'EXPORT_WEIGHTS_CHANGED',
      fix: `Delete the run and repeat it: npx rifle runs prune ${id} --yes.`,
    });
  const card = cardOf(found.record);
  const load = (file: string): Promise<Backbone> =>
    backbones.load(card.backbone, { classes: card.classes.length, weights: file });
  const backbone = await load(weights);
  try {
    if (format !== 'safetensors' && format !== 'timm')
      return { path: to, difference: await exportBackbone(backbone, card.imageSize, format, to, card) };
    const tensors = await readSafetensors(weights);
    const difference = await makeAtomically(to, async (partial) => {
      const named = `${partial}.check.safetensors`; // the reader goes by the ending
      try {
        await writeSafetensors(named, tensors, { notes: { format: 'pt', [CARD_NOTE]: JSON.stringify(card) } });
        if (format === 'timm') await writeTimmFolder(tensors, card, partial);
        else await fs.promises.link(named, partial);
        return await differenceOf(backbone, card.imageSize, await load(named), format);
      } finally {
        await fs.promises.rm(named, { force: true });
      }
    });
    return { path: to, difference };
  } finally {
    backbone.dispose();
  }
}

async function writeTimmFolder(tensors: StateDict, card: ModelCard, folder: string): Promise<void> {
  await writeTimmModel(tensors, card, folder);
  await writeCard(card, folder);
}

const writeCard = (card: ModelCard, folder: string): Promise<void> =>
  fs.promises.writeFile(path.join(folder, CARD_FILE), `${JSON.stringify(card, null, 2)}\n`);

/**
 * Writes `backbone`, which takes images of `size` pixels, and gives the largest difference of a logit on random images,
 * one and three at a time (`null` for `onnx`, see `Exported`).
 * @param card written along, where there is one.
 */
export async function exportBackbone(
  backbone: Backbone,
  size: number,
  format: GraphFormat,
  to: string,
  card?: ModelCard,
): Promise<number | null> {
  const graph = freeze(
    { name: 'images', shape: [2, size, size, 3], dtype: 'int32' },
    (images): Record<string, TF.Tensor> => {
      if (format !== 'web') {
        const logits = logitsOf(backbone, images);
        return { logits, probabilities: tf.softmax(logits) };
      }
      const { logits, maps } = forwardWithMap(backbone, images as TF.Tensor4D);
      return { logits, probabilities: tf.softmax(logits), map: maps[0] };
    },
  );
  return makeAtomically(to, async (partial) => {
    if (format === 'onnx') {
      await fs.promises.writeFile(partial, encodeOnnx({ ...onnxGraph(graph), metadata: onnxMetadata(card) }));
      return null;
    }
    await write(graph, format, partial, card);
    const difference = await differenceOfGraph(backbone, size, format, partial);
    if (format === 'web') await embedModel(partial, card!);
    return difference;
  });
}

/** What programs look for in an ONNX file: all of the card, and the class names alone. */
const onnxMetadata = (card: ModelCard | undefined): Record<string, string> =>
  card === undefined ? {} : { [CARD_NOTE]: JSON.stringify(card), classes: JSON.stringify(card.classes) };

const logitsOf = (backbone: Backbone, images: TF.Tensor): TF.Tensor2D =>
  backbone.forward(images as TF.Tensor4D, { training: false }).logits;

/** The same of a file of weights, by the network that `copy` is; it is disposed of. */
async function differenceOf(backbone: Backbone, size: number, copy: Backbone, format: ExportFormat): Promise<number> {
  try {
    return await largestDifference(
      backbone,
      size,
      (images) => Promise.resolve(tf.tidy(() => logitsOf(copy, images))),
      format,
    );
  } finally {
    copy.dispose();
  }
}

async function largestDifference(
  backbone: Backbone,
  size: number,
  predict: (images: TF.Tensor) => Promise<TF.Tensor2D>,
  format: ExportFormat,
): Promise<number> {
  let largest = 0;
  for (const batch of [1, 3]) {
    const images = tf.randomUniform([batch, size, size, 3], 0, 256, 'int32', 7);
    const found = await predict(images);
    const expected = tf.tidy(() => logitsOf(backbone, images));
    const [difference, scale] = tf.tidy(() => [
      tf.sub(found, expected).abs().max().dataSync()[0],
      expected.abs().max().dataSync()[0],
    ]);
    tf.dispose([images, found, expected]);
    if (!(difference <= TOLERANCE * Math.max(1, scale)))
      throw new KitError(`The exported ${format} model gives logits that are ${difference} from the kit's own.`, {
        code: 'EXPORT_DIFFERS',
        fix: 'Nothing is written. Please report this.',
      });
    largest = Math.max(largest, difference);
  }
  return largest;
}

async function write(graph: FrozenGraph, format: GraphFormat, folder: string, card?: ModelCard): Promise<void> {
  await fs.promises.mkdir(folder, { recursive: true });
  if (card !== undefined) await writeCard(card, folder);
  if (format === 'tfjs') return writeTfjsModel(graph, folder, card);
  if (format === 'web') return writeWebPage(graph, folder, card!);
  // there are none, but servers look for the folder
  await fs.promises.mkdir(path.join(folder, 'variables'), { recursive: true });
  await fs.promises.writeFile(path.join(folder, 'saved_model.pb'), encodeSavedModel(graph.nodes, graph.signature));
}

/** The same of an exported folder, loaded by the official loader of its format. */
async function differenceOfGraph(
  backbone: Backbone,
  size: number,
  format: Exclude<GraphFormat, 'onnx'>,
  folder: string,
): Promise<number> {
  const model = await (format === 'web'
    ? loadExported('tfjs', path.join(folder, 'model'))
    : loadExported(format, folder));
  try {
    return await largestDifference(backbone, size, (images) => model.predict(images), format);
  } finally {
    model.dispose();
  }
}
