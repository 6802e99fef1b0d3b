// What others have reported, each value with its source: read from data-scripts/reported, where a reader with a paper at hand can add to it.
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { KitError } from '../engine/errors';
import { packageRoot } from '../engine/home';

/** Shown where no source gives a value. */
export const NOT_AT_HAND = 'not at hand';

/** Where values come from, and how far they can be trusted and compared. */
export interface ReportedSource {
  id: string;
  title: string;
  address: string;
  /** How the values were made. */
  setting: string;
  /** What stands against comparing them. */
  caveat: string;
  /** Family of backbones in the kit's words; `null` when the source does not say. */
  backbone: string | null;
}

/** One value as its source prints it. */
export interface ReportedValue {
  source: ReportedSource;
  table: string;
  row: string;
  column: string;
  /** Percent; a range is `[low, high]`. */
  value: number | [number, number];
  /** The kit's names of row and column; `null` when it has none. */
  method: string | null;
  dataset: string | null;
}

const text = z.string().min(1);
const fileSchema = z.strictObject({
  source: z.strictObject({ id: text, title: text, address: text, setting: text, caveat: text, backbone: text.nullable() }),
  methods: z.record(text, text).default({}),
  datasets: z.record(text, text).default({}),
  values: z.array(z.strictObject({ table: text, row: text, column: text, value: z.union([z.number(), z.tuple([z.number(), z.number()])]) })),
});

/**
 * All reported values, file by file.
 * @param folder default: the kit's `data-scripts/reported`.
 * @throws KitError naming the file and the field that is not as expected, or two files of one source.
 */
export function readReported(folder: string = path.join(packageRoot(), 'data-scripts', 'reported')): ReportedValue[] {
  const names = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith('.json')).sort() : [];
  const seen = new Map<string, string>();
  return names.flatMap((name) => {
    const file = path.join(folder, name);
    const { source, methods, datasets, values } = parse(file);
    const other = seen.get(source.id);
    if (other) throw new KitError(`${file}: the source "${source.id}" is already in ${other}.`, { fix: 'Give each file a source id of its own.' });
    seen.set(source.id, name);
    return values.map((value) => ({ ...value, source, method: methods[value.row] ?? null, dataset: datasets[value.column] ?? null }));
  });
}

function parse(file: string): z.infer<typeof fileSchema> {
  let json: unknown;
  try {
    json = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new KitError(`${file}: expected JSON: ${(cause as Error).message}.`, { fix: 'See README.md beside it for the form.', cause });
  }
  const parsed = fileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'top'}: ${issue.message}`).join('; ');
  throw new KitError(`${file}: not a file of reported values: ${problems}.`, { fix: 'See README.md beside it for the form.' });
}

/** The values for a method on a data set with a backbone of the source's family. @param backbone id, for example `resnet50.tv_in1k`. */
export function reportedFor(values: readonly ReportedValue[], at: { method: string; dataset: string; backbone: string }): ReportedValue[] {
  const family = at.backbone.split('.')[0];
  return values.filter(({ method, dataset, source }) => method === at.method && dataset === at.dataset && (source.backbone === null || source.backbone === family));
}
