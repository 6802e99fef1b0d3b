// The predictions of a run: the logits of every evaluated image, in a safetensors file beside the record.
import { readSafetensors, readSafetensorsNotes, writeSafetensors } from '../../backbones/weights/readers/safetensors';
import { z } from 'zod';
import type { ElementArray, ElementType } from '../../backbones/weights/readers/state-dict';
import { KitError } from '../../base/errors';
import { whyNot } from './format/record-schema';
import type { LabelledLogits } from '../../metrics/logits';
import type { EvaluatedSplit } from '../../transfer/spec/spec';

/** What a run predicted for every image that it was evaluated on, in the order of its data set. */
export interface RunPredictions extends LabelledLogits {
  /** Of each image: its file, relative to the data set's folder. */
  files: string[];
  /** Names of the classes; a label is an index of this list. */
  classNames: string[];
  /** The epoch (1-based) whose evaluation this was. */
  epoch: number;
  evaluatedOn: EvaluatedSplit;
}

const listOfNames = z.array(z.string().max(4096));

/** The notes in the header of the file: all are texts. */
const notesSchema = z.object({
  epoch: z.coerce.number().int().min(1),
  evaluatedOn: z.enum(['test', 'validation']),
  classNames: z.string().transform((text) => listOfNames.parse(JSON.parse(text))),
});

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
    const arrayOf = <T extends ElementArray>(name: string, dtype: ElementType, sides: number): [T, number[]] => {
      const { data, dtype: found, shape } = tensors.get(name) ?? {};
      if (data === undefined || shape === undefined || found !== dtype || shape.length !== sides)
        throw new Error(`expected the ${dtype} array "${name}" with ${sides} dimensions`);
      return [data as T, shape];
    };
    const [logits, [rows, classes]] = arrayOf<Float32Array>('logits', 'float32', 2);
    const [labels] = arrayOf<Int32Array>('labels', 'int32', 1);
    const [names] = arrayOf<Uint8Array>('files', 'uint8', 1);
    const files = listOfNames.parse(JSON.parse(Buffer.from(names).toString('utf8')));
    const { classNames, ...rest } = notesSchema.parse(notes);
    if (files.length !== labels.length || rows !== files.length || classNames.length !== classes)
      throw new Error(
        `it holds ${files.length} files, ${labels.length} labels, ${rows} rows, ${classes} columns and ` +
          `${classNames.length} names of classes`,
      );
    if (labels.some((label) => label < 0 || label >= classes)) throw new Error('a label is not one of its classes');
    return { logits, labels, classes, files, classNames, ...rest };
  } catch (cause) {
    const why = cause instanceof z.ZodError ? whyNot(cause) : (cause as Error).message;
    throw new KitError(`The predictions ${file} cannot be read: ${why}`, {
      code: 'PREDICTIONS_DAMAGED',
      fix: 'Delete the folder of this run and repeat the run.',
      cause,
    });
  }
}
