// What a program must know to use a run's weights: classes, sizes, normalisation, licence, and the run they come from.
import { backbones } from '../../backbones/backbone';
import { KitError } from '../../base/errors';
import { kitVersion } from '../../base/home';
import type { RunRecord } from '../store/record';

/** The facts about an exported model. Written as `metadata.json` into folders, and as a note into safetensors files. */
export interface ModelCard {
  format: 'rifle-kit-model';
  /** Version of the kit that wrote it. */
  kit: string;
  run: string;
  method: string;
  dataset: { name: string; hash: string };
  /** Id of the backbone in the kit. */
  backbone: string;
  /** Names of the classes, in the order of the logits. */
  classes: string[];
  /** Side of the square centre crop, pixels. */
  imageSize: number;
  /** Length of the short side before the crop, pixels. */
  resizeSize: number;
  /** Antialiased bilinear resize, as PIL's `Image.BILINEAR`. */
  interpolation: 'bilinear';
  crop: 'center';
  /**
   * The network sees (pixel - mean) / std, of RGB pixels in 0..255. Folders for tfjs and servers do this themselves.
   */
  mean: number[];
  std: number[];
  /** The order in which the network sees the channels. */
  channelOrder: 'rgb' | 'bgr';
  /** What the network computed in. */
  precision: RunRecord['spec']['precision'];
  /** Licence of the pretrained weights. */
  licence: string;
  top1: number;
}

/** Name of the card in a folder. */
export const CARD_FILE = 'metadata.json';
/** Name of the card among the notes of a safetensors file. */
export const CARD_NOTE = 'rifle-kit';

/** The card of a finished run. */
export function cardOf({ id, method, spec, dataset, top1 }: RunRecord): ModelCard {
  const { inputSize, resizeSize, mean, std, channelOrder, licence } = backbones.get(spec.backbone);
  const imageSize = spec.imageSize ?? inputSize;
  return {
    format: 'rifle-kit-model',
    kit: kitVersion(),
    run: id,
    method,
    dataset: { name: dataset.name, hash: dataset.hash },
    backbone: spec.backbone,
    classes: dataset.classes,
    imageSize,
    resizeSize: spec.resizeSize ?? Math.max(imageSize, Math.round((imageSize * resizeSize) / inputSize)),
    interpolation: 'bilinear',
    crop: 'center',
    mean,
    std,
    channelOrder,
    precision: spec.precision,
    licence,
    top1,
  };
}

/** The card in `text`. @param source where it was read, for messages. @throws KitError `MODEL_CARD_DAMAGED`. */
export function parseCard(text: string, source: string): ModelCard {
  try {
    const card = JSON.parse(text) as ModelCard;
    const isWhole = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
    if (card.format !== 'rifle-kit-model') throw new Error(`its format is ${String(card.format)}`);
    if (!Array.isArray(card.classes) || card.classes.length < 1) throw new Error('it has no classes');
    if (!isWhole(card.imageSize) || !isWhole(card.resizeSize)) throw new Error('it has no image sizes');
    return card;
  } catch (cause) {
    throw new KitError(`The model metadata in ${source} cannot be used: ${(cause as Error).message}.`, {
      code: 'MODEL_CARD_DAMAGED',
      fix: 'Export the run again: npx rifle runs export RUN.',
      cause,
    });
  }
}
