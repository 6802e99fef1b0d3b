// Values reported by others, each with its source: files in data-scripts/reported and in a folder of the user's.
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { KitError, unknownName } from '../../base/errors';
import { packageRoot } from '../../base/home';
import { methods as catalog } from '../../transfer/methods';

/** Shown where no source gives a value. */
export const NOT_AT_HAND = 'not at hand';

/** The source of values, and how comparable they are. */
export interface ReportedSource {
  id: string;
  title: string;
  address: string;
  /** How the values were made. */
  setting: string;
  /** Why they may not be comparable. */
  caveat: string;
  /** Family of backbones in the kit's words; `null` when the source does not say. */
  backbone: string | null;
  /** Whether its values are a claim about differences, shown under every table. Default false. */
  isClaim?: boolean;
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
  /** Family of backbones; `null` when the source does not say. */
  backbone: string | null;
}

const text = z.string().min(1);
const fileSchema = z.strictObject({
  source: z.strictObject({
    id: text,
    title: text,
    address: text,
    setting: text,
    caveat: text,
    backbone: text.nullable(),
    isClaim: z.boolean().default(false),
  }),
  methods: z.record(text, text).default({}),
  datasets: z.record(text, text).default({}),
  values: z.array(
    z.strictObject({
      table: text,
      row: text,
      column: text,
      value: z.union([z.number(), z.tuple([z.number(), z.number()])]),
      method: text.optional(),
      dataset: text.optional(),
      backbone: text.nullable().optional(),
    }),
  ),
});

/** The kit's own folder, and that in the environment variable RIFLE_REPORTED. */
function reportedFolders(): string[] {
  const own = process.env.RIFLE_REPORTED;
  if (own && !fs.existsSync(own))
    throw new KitError(`RIFLE_REPORTED names the folder ${own}, which does not exist.`, {
      code: 'REPORTED_NO_FOLDER',
      fix: 'Make it, or unset the variable.',
    });
  return [path.join(packageRoot(), 'data-scripts', 'reported'), ...(own ? [own] : [])];
}

/**
 * All reported values, file by file.
 * @param folders default: the kit's `data-scripts/reported`, then the folder in the environment variable RIFLE_REPORTED
 *   if it is set.
 * @throws KitError naming the file and the field that is not as expected, a method that the kit does not have, or two
 *   files of one source.
 */
export function readReported(folders: string | readonly string[] = reportedFolders()): ReportedValue[] {
  const files = [folders].flat().flatMap((folder) => {
    const names = fs.existsSync(folder)
      ? fs
          .readdirSync(folder)
          .filter((name) => name.endsWith('.json'))
          .sort()
      : [];
    return names.map((name) => path.join(folder, name));
  });
  const seen = new Map<string, string>();
  return files.flatMap((file) => {
    const { source, methods, datasets, values } = parse(file);
    const other = seen.get(source.id);
    if (other)
      throw new KitError(`${file}: the source "${source.id}" is in ${other} already.`, {
        code: 'REPORTED_SOURCE_TWICE',
        fix: 'Give each file a source id of its own.',
      });
    seen.set(source.id, file);
    return values.map((value) => ({
      ...value,
      source,
      method: value.method ?? methods[value.row] ?? null,
      dataset: value.dataset ?? datasets[value.column] ?? null,
      backbone: value.backbone === undefined ? source.backbone : value.backbone,
    }));
  });
}

function parse(file: string): z.infer<typeof fileSchema> {
  let json: unknown;
  try {
    json = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new KitError(`${file}: expected JSON: ${(cause as Error).message}.`, {
      code: 'REPORTED_NOT_JSON',
      fix: 'See README.md beside it for the form.',
      cause,
    });
  }
  const parsed = fileSchema.safeParse(json);
  if (parsed.success) {
    const named = [...Object.values(parsed.data.methods), ...parsed.data.values.flatMap(({ method }) => method ?? [])];
    const known = catalog.list().map(({ name }) => name);
    const unknown = named.find((name) => !known.includes(name));
    if (unknown === undefined) return parsed.data;
    const { message, fix } = unknownName('method', unknown, known);
    throw new KitError(`${file}: ${message}`, { code: 'REPORTED_UNKNOWN_METHOD', fix });
  }
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'top'}: ${issue.message}`).join('; ');
  throw new KitError(`${file}: expected a file of reported values: ${problems}.`, {
    code: 'REPORTED_INVALID',
    fix: 'See README.md beside it for the form.',
  });
}

/**
 * The values for a method on a data set with a backbone of the source's family. @param backbone id, for example
 * `resnet50.tv_in1k`.
 */
export function reportedFor(
  values: readonly ReportedValue[],
  at: { method: string; dataset: string; backbone: string },
): ReportedValue[] {
  const family = at.backbone.split('.')[0];
  return values.filter(
    ({ method, dataset, backbone }) =>
      method === at.method && dataset === at.dataset && (backbone === null || backbone === family),
  );
}

/** A value for people: `74.87`, `0.5 to 2`. */
export function valueText(value: ReportedValue['value']): string {
  return Array.isArray(value) ? `${value[0]} to ${value[1]}` : value.toFixed(2);
}

/** The values that one table cites, its sources numbered in the order of first use. */
export class Citations {
  private readonly cited = new Map<string, { source: ReportedSource; tables: Set<string> }>();

  constructor(private readonly values: readonly ReportedValue[]) {}

  /**
   * The text of a cell: `74.87 [1]`, of two methods `74.87 → 76.18 [1]`; source by source; `NOT_AT_HAND` without any.
   * @param methods names in the kit's words; changed hyper-parameters (`:custom`) are ignored.
   */
  textOf(
    methods: readonly string[],
    { dataset, backbone }: { dataset: string | null; backbone: string | null },
  ): string {
    if (dataset === null || backbone === null) return NOT_AT_HAND;
    const found = methods.map((method) =>
      reportedFor(this.values, { method: method.replace(/:custom/g, ''), dataset, backbone }),
    );
    const sources = [...new Map(found.flat().map(({ source }) => [source.id, source])).values()];
    if (sources.length === 0) return NOT_AT_HAND;
    return sources
      .map((source) => {
        const sides = found.map((values) => this.sideText(source, values)).join(' → ');
        return `${sides} [${this.numberOf(source)}]`;
      })
      .join('; ');
  }

  /** All values of one source for one side. */
  private sideText(source: ReportedSource, values: readonly ReportedValue[]): string {
    const own = values.filter((value) => value.source.id === source.id);
    const entry = this.cited.get(source.id) ?? { source, tables: new Set<string>() };
    this.cited.set(source.id, entry);
    for (const { table } of own) entry.tables.add(table);
    return own.map(({ value }) => valueText(value)).join(' / ') || NOT_AT_HAND;
  }

  private numberOf({ id }: ReportedSource): number {
    return [...this.cited.keys()].indexOf(id) + 1;
  }

  /** One note a source, numbered, with its setting and caveat; then the claims about differences. */
  notes(): string[] {
    const cited = [...this.cited.values()].map(
      ({ source, tables }, i) => `[${i + 1}] ${sourceText(source, [...tables])}`,
    );
    const claims = this.values
      .filter(({ source }) => source.isClaim)
      .map(
        ({ source, value }) =>
          `${source.title}: ${valueText(value)} percentage points in ${source.setting}; ${source.caveat}.`,
      );
    return [...cited, ...claims];
  }
}

/** A source with the tables of its values, its setting and its caveat. */
export function sourceText({ title, setting, caveat }: ReportedSource, tables: readonly string[]): string {
  const where = tables.filter((table) => !title.includes(table)).join(', ');
  return `${title}${where === '' ? '' : ` (${where})`}: ${setting}. Caveat: ${caveat}.`;
}
