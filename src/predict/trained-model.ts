// Finds trained weights and the facts about them: of a run, an exported folder, or a weights file.
import fs from 'node:fs';
import path from 'node:path';
import { readSafetensorsNotes } from '../backbones/weights/readers/safetensors';
import { KitError } from '../base/errors';
import { CARD_FILE, CARD_NOTE, cardOf, parseCard, type ModelCard } from '../runs/export/model-card';
import { GRAPH_FILES, type LoadableFormat } from '../runs/export/exported-model';
import { reportedWeights, type RunRecord } from '../runs/store/record';
import { idOf } from '../runs/store/selection';
import { RunStore } from '../runs/store/store';

/** Where a model comes from: a record, a run's id or its beginning, an exported folder, or a weights file. */
export type ModelSource = RunRecord | string;

/** Options of `findModel`. */
export interface FindModelOptions {
  /** The store of the run. Default: that of the kit. */
  runs?: RunStore | string;
  /** Weights of the last epoch, or of the best on validation images. Default: those that the record's `top1` is of. */
  which?: 'last' | 'best';
}

/** Weights, and the facts about them. */
export interface FoundWeights {
  card: ModelCard;
  /** A safetensors file with the names of the backbone. */
  weights: string;
}

/** An exported folder whose graph is used, and the facts about it. */
export interface FoundGraph {
  card: ModelCard;
  folder: string;
  format: LoadableFormat;
}

/** What a classifier is made of. */
export type FoundModel = FoundWeights | FoundGraph;

/** Name of the weights in an exported folder. */
const FOLDER_WEIGHTS = 'model.safetensors';

/**
 * The weights or the graph of `source`, and its card.
 * @throws KitError `PREDICT_NO_WEIGHTS`, `PREDICT_RUN_UNFINISHED`, `PREDICT_FOLDER_INCOMPLETE`, `PREDICT_FORMAT`,
 *   `PREDICT_NO_CARD`, and those of an id that is not in the store.
 */
export async function findModel(source: ModelSource, options: FindModelOptions = {}): Promise<FoundModel> {
  const store = options.runs instanceof RunStore ? options.runs : new RunStore(options.runs);
  if (typeof source !== 'string') return ofRun(store, source.id, options.which);
  const stat = fs.statSync(source, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return ofFolder(source);
  if (stat?.isFile()) return ofFile(source);
  return ofRun(store, idOf(store, source), options.which);
}

function ofRun(store: RunStore, id: string, which?: 'last' | 'best'): FoundWeights {
  const record = store.find(id);
  if (record === null || record.status === 'failed') {
    throw new KitError(`The run ${id} ${record === null ? 'is not finished' : 'failed'}: it has no trained weights.`, {
      code: 'PREDICT_RUN_UNFINISHED',
      fix: 'Give a finished run: npx rifle runs list.',
    });
  }
  const weights = store.weights(id, which ?? reportedWeights(record));
  if (weights === null) {
    throw new KitError(`The run ${id} did not keep its weights.`, {
      code: 'PREDICT_NO_WEIGHTS',
      fix:
        'Repeat it with the same options and its weights kept (npx rifle train --keep-weights ..., or `keepWeights` ' +
        `of finetune). It gives the same bits. Its options: npx rifle runs show ${id}.`,
    });
  }
  return { card: cardOf(record), weights };
}

function ofFolder(folder: string): FoundModel {
  // a run's own folder in a store
  if (fs.existsSync(path.join(folder, 'record.json')))
    return ofRun(new RunStore(path.dirname(path.resolve(folder))), path.basename(path.resolve(folder)));
  const has = (name: string): boolean => fs.existsSync(path.join(folder, name));
  if (has('model.js') && has('index.html')) throw notReadable(folder, 'a web page');
  const format = (['tfjs', 'savedmodel'] as const).find((each) => has(GRAPH_FILES[each]));
  const missing = [CARD_FILE, ...(format === undefined ? [FOLDER_WEIGHTS] : [])].find((name) => !has(name));
  if (missing !== undefined)
    throw new KitError(`The folder ${folder} has no ${missing}.`, {
      code: 'PREDICT_FOLDER_INCOMPLETE',
      fix: `Give a folder that \`npx rifle runs export RUN --format FORMAT\` made. ${READABLE}`,
    });
  const file = path.join(folder, CARD_FILE);
  const card = parseCard(fs.readFileSync(file, 'utf8'), file);
  return format === undefined ? { card, weights: path.join(folder, FOLDER_WEIGHTS) } : { card, folder, format };
}

const READABLE = 'Formats that can be read: timm, tfjs, savedmodel, and safetensors files.';

const notReadable = (source: string, what: string): KitError =>
  new KitError(`${source} is ${what}, which the kit writes and does not read.`, {
    code: 'PREDICT_FORMAT',
    fix: `Give the run itself, or export it in another format. ${READABLE}`,
  });

async function ofFile(file: string): Promise<FoundModel> {
  if (file.endsWith('.onnx')) throw notReadable(file, 'an ONNX model');
  const folder = path.dirname(path.resolve(file));
  if (fs.existsSync(path.join(folder, 'record.json')))
    return { card: ofRun(new RunStore(path.dirname(folder)), path.basename(folder)).card, weights: file };
  const note = (await readSafetensorsNotes(file))[CARD_NOTE];
  if (note !== undefined) return { card: parseCard(note, file), weights: file };
  throw new KitError(`The weights file ${file} does not say which classes and image sizes it is for.`, {
    code: 'PREDICT_NO_CARD',
    fix: 'Give the run itself, or export it with this version of the kit: npx rifle runs export RUN.',
  });
}
