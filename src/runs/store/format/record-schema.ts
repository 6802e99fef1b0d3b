// The form of a record, of a journal's line and of the rows beside a record: everything that is read from a store is
// checked by it.
import { z } from 'zod';
import { RECORD_FORMAT, type LayerRow, type RunRecord } from '../record';

/** A run's id: 16 hexadecimal digits. No other folder of a store is a run. */
export const RUN_ID = /^[0-9a-f]{16}$/;

const name = z.string().max(1024);
const hash = z.string().max(128);
const count = z.number().int().nonnegative();
const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/, 'expected a time, ISO 8601 in UTC');
/** JSON has no NaN and no infinity: both are null there. */
const number = z
  .number()
  .nullable()
  .transform((value) => value ?? NaN);
const evaluatedOn = z.enum(['test', 'validation']);

/** A part with a name and settings of its own: a regulariser, a trick, a schedule, an optimizer. */
const choice = z.looseObject({ name });

/**
 * The spec as a record holds it. Fields that a later kit added may be absent, and choices that were registered by an
 * extension may be unknown here: a run's id is the hash of exactly what is written, so nothing is filled in or left
 * out.
 */
export const recordSpec = z.looseObject({
  dataset: name,
  backbone: name,
  weights: name,
  imageSize: count.nullable(),
  resizeSize: count.nullable(),
  epochs: count.min(1),
  batchSize: count.min(1),
  augmentation: choice,
  optimizer: choice,
  schedule: choice,
  regularizers: z.array(choice).max(1000),
  tricks: z.array(choice).max(1000),
  reset: choice.nullable(),
  precision: name.optional(),
  seed: count.max(0xffffffff),
  evaluateOn: z.enum(['test', 'validation', 'both']).optional(),
  patience: count.nullish(),
  classWeights: z.union([name, z.record(z.string().max(4096), z.number())]).nullish(),
  sampling: name.optional(),
  fold: z.looseObject({ of: count, index: count }).nullish(),
  evaluateEvery: count.min(1).optional(),
  limits: z.looseObject({ trainPerClass: count.nullable(), testPerClass: count.nullable() }),
});

const epochRow = z.looseObject({
  epoch: count.min(1),
  trainLoss: number,
  trainCrossEntropy: number,
  trainTop1: number,
  evaluatedOn,
  loss: number,
  top1: number,
  test: z.looseObject({ loss: number, top1: number }).optional(),
  learningRate: number,
  headLearningRate: number,
  headReset: z.boolean(),
  trainSeconds: number,
  evaluateSeconds: number,
  dataWaitSeconds: number,
  imagesPerSecond: number,
});

const environment = z.looseObject({
  kit: name,
  node: name,
  tfjs: name,
  tensorflow: name,
  device: name,
  cpu: name,
  cores: count,
  gpu: z.looseObject({ name, driver: name, cuda: name }).nullish(),
  platform: name,
  gitCommit: name.nullable(),
  gitDirty: z.boolean().nullable(),
  flags: z.record(name, z.string().max(4096)),
});

const codeDigests = z.looseObject({
  kit: name,
  step: hash.nullable(),
  rates: hash,
  reset: hash.optional(),
  augmentation: hash.optional(),
  prepared: z.array(z.record(name, count)).max(1000).optional(),
});

/** `record.json` in the form of today, without its checksums. */
export const recordSchema = z.looseObject({
  format: z.number().int().min(1).max(RECORD_FORMAT),
  id: z.string().regex(RUN_ID, 'expected 16 hexadecimal digits'),
  status: z.enum(['finished', 'failed']),
  failure: z.looseObject({ epoch: count, lastLoss: z.number().nullable(), message: z.string().max(65_536) }).nullable(),
  method: name,
  guestMethod: z
    .looseObject({
      title: name,
      colour: z
        .string()
        .regex(/^#[0-9a-f]{6}$/i, 'expected a colour such as #c1121f')
        .nullable(),
      control: name.nullable(),
      decides: z.array(z.enum(['schedule', 'optimizer', 'augmentation'])).max(3),
    })
    .optional(),
  spec: recordSpec,
  numerics: z.looseObject({ kit: count }),
  graph: codeDigests.optional(),
  dataset: z.looseObject({
    name,
    hash,
    classes: z.array(name).max(1_000_000),
    train: count,
    validation: count.optional(),
    test: count,
  }),
  weights: z.looseObject({ id: name, hash, parameters: count }),
  epochs: z.array(epochRow).max(1_000_000),
  evaluatedOn,
  top1: number,
  bestEpoch: count.min(1).optional(),
  metrics: z
    .looseObject({
      top1: number,
      top5: z.number().nullable(),
      macroF1: number,
      meanPerClass: number,
      nll: number,
      ece: number,
    })
    .optional(),
  observations: z
    .array(z.looseObject({ observer: name, moment: name, epoch: count }))
    .max(1_000_000)
    .optional(),
  resets: z.array(count).max(1_000_000),
  wallSeconds: number,
  peakMemoryMb: number,
  startedAt: time,
  finishedAt: time,
  environment,
});

/** The sums beside a record: of the record itself and of the files in its folder. */
export const checksumsSchema = z.record(z.string().regex(/^[\w.-]+$/), z.string().regex(/^[0-9a-f]{64}$/));

/** A line of a journal. */
export const journalLine = z.looseObject({
  at: z.string().max(64),
  event: z.enum(['started', 'resumed', 'checkpoint', 'notice', 'stopped', 'failed', 'finished']),
  host: name,
  pid: count,
});

/** What the line `started` of a journal says of the run. */
export const startedLine = z.looseObject({
  spec: recordSpec,
  dataset: z.looseObject({ name, hash, from: z.string().max(65_536) }),
});

/** Columns of `layers.json`, in the order in which they are written. */
export const LAYER_COLUMNS = [
  'epoch',
  'layer',
  'place',
  'kind',
  'gradientNorm',
  'updateNorm',
  'weightDistance',
] as const satisfies readonly (keyof LayerRow)[];

/** `layers.json`: one row for each layer and epoch. */
export const layersSchema = z.object({
  columns: z
    .array(z.string())
    .refine((columns) => columns.join() === LAYER_COLUMNS.join(), `expected the columns ${LAYER_COLUMNS.join(', ')}`),
  rows: z.array(z.tuple([count, name, count, z.enum(['kernel', 'norm', 'head']), number, number, number])),
});

/** Why a document is not of its form: the first field that is wrong, and how; in one short line. */
export function whyNot(error: z.ZodError): string {
  const [issue] = error.issues;
  const field = issue.path.map(String).join('.').slice(0, 200) || 'the document';
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : '';
  return `${field}: ${issue.message.slice(0, 200)}${more}`;
}

/** A checked document as a record. Settings of extensions are kept as they are, see `recordSpec`. */
export const asRecord = (document: z.infer<typeof recordSchema>): RunRecord => document as unknown as RunRecord;
