// The predictions of a run: the logits of every evaluated image, in a safetensors file beside the record.
import { readSafetensors, readSafetensorsNotes, writeSafetensors } from '../../backbones/weights/readers/safetensors';
import { KitError } from '../../base/errors';
import type { LabelledLogits } from '../../metrics/logits';
import type { RunSpec } from '../../transfer/spec/spec';

/** What a run predicted for every image that it was evaluated on, in the order of its data set. */
export interface RunPredictions extends LabelledLogits {
  /** Of each image: its file, relative to the data set's folder. */
  files: string[];
  /** Names of the classes; a label is an index of this list. */
  classNames: string[];
  /** The epoch (1-based) whose evaluation this was. */
  epoch: number;
  evaluatedOn: RunSpec['evaluateOn'];
}

/** Writes `predictions` to `file`, whole or not at all. */
export async function writePredictions(file: string, predictions: RunPredictions): Promise<void> {
  const { logits, labels, classes, files, classNames, epoch, evaluatedOn } = predictions;
  const names = new Uint8Array(Buffer.from(JSON.stringify(files), 'utf8'));
  await writeSafetensors(
    file,
    new Map([
      ['logits', { shape: [labels.length, classes], dtype: 'float32', data: logits }],
      ['labels', { shape: [labels.length], dtype: 'int32', data: labels }],
      ['files', { shape: [names.length], dtype: 'uint8', data: names }],
    ]),
    { notes: { epoch: String(epoch), evaluatedOn, classNames: JSON.stringify(classNames), files: 'JSON in UTF-8' } },
  );
}

/** Reads what `writePredictions` wrote. @throws KitError `PREDICTIONS_DAMAGED` when it is something else. */
export async function readPredictions(file: string): Promise<RunPredictions> {
  try {
    const [tensors, notes] = [await readSafetensors(file), await readSafetensorsNotes(file)];
    const [logits, labels, names] = ['logits', 'labels', 'files'].map((name) => tensors.get(name)!);
    const files = JSON.parse(Buffer.from(names.data as Uint8Array).toString('utf8')) as string[];
    if (files.length !== labels.data.length || logits.shape[0] !== files.length)
      throw new Error(`it holds ${files.length} files, ${labels.data.length} labels and ${logits.shape[0]} rows`);
    return {
      logits: logits.data as Float32Array,
      labels: labels.data as Int32Array,
      classes: logits.shape[1],
      files,
      classNames: JSON.parse(notes.classNames) as string[],
      epoch: Number(notes.epoch),
      evaluatedOn: notes.evaluatedOn as RunPredictions['evaluatedOn'],
    };
  } catch (cause) {
    throw new KitError(`The predictions ${file} cannot be read: ${(cause as Error).message}`, {
      code: 'PREDICTIONS_DAMAGED',
      fix: 'Delete the folder of this run and repeat the run.',
      cause,
    });
  }
}
