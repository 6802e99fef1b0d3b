// What the bundle of a scale says: its tables as CSV files, and as blocks of Markdown in README and docs/reproduction.md.
import fs from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../src/base/home';
import { withBundle } from '../../src/runs/bundle/import-bundle';
import type { RunStore } from '../../src/runs/store/store';
import { methodsTable } from '../../src/report/tables/methods-table';
import { layeredGroupsOf } from '../../src/report/figures/layered-groups';
import '../../src/studies/built-in';
import { plan } from '../../src/studies/plan';
import { scale as scaleNamed } from '../../src/studies/scales';
import { csvFiles, exportAll } from '../../src/studies/results';
import { powerTable } from '../../src/studies/rifle/design/power';
import { regimePoints, regimeRuns, regimeTable } from '../../src/studies/rifle/design/regime';
import { distanceClaims, firstEpochClaims, gradientClaims } from '../../src/studies/rifle/figure-claims';
import { basicRuns, mainRuns } from '../../src/studies/rifle/figures';
import { recoveryTable } from '../../src/studies/rifle/recovery-table';
import { claimsTable, type FigureClaim } from '../../src/report/figures/claims';
import { duration } from '../../src/base/progress';
import type { RunRecord } from '../../src/runs/store/record';

/** The folder of a scale's results. */
export const resultsFolder = (scale: string): string => path.join(packageRoot(), 'results', scale);

/** The pages with blocks of results. */
export const PAGES = ['README.md', 'docs/reproduction.md'];

const block = (name: string): RegExp => new RegExp(`(<!-- results: ${name} -->\n)([\\s\\S]*?)(<!-- end of results -->)`);

/** Texts by name. */
export interface ResultTexts {
  csv: Map<string, string>;
  blocks: Map<string, string>;
}

/** The text of every CSV file of a bundle by its name, and of every block by its name. */
export async function resultTexts(bundle: string, scale: string): Promise<ResultTexts> {
  return withBundle(bundle, async (store) => ({
    csv: csvFiles(store.list(), { scale, store }),
    blocks: blocksOf(store, scale),
  }));
}

/** Writes the tables and figures of a bundle into its folder, without LaTeX and JSON, and the blocks into the pages. */
export async function writeResults(bundle: string, scale: string): Promise<string[]> {
  const folder = resultsFolder(scale);
  const blocks = await withBundle(bundle, async (store) => {
    for (const file of await exportAll(store.list(), folder, { scale, store }))
      if (/\.(tex|json)$/.test(file)) fs.rmSync(file);
    return blocksOf(store, scale);
  });
  for (const page of PAGES) {
    const file = path.join(packageRoot(), page);
    fs.writeFileSync(file, withBlocks(fs.readFileSync(file, 'utf8'), blocks));
  }
  return fs.readdirSync(folder).sort();
}

/** `page` with the text of each block. */
export function withBlocks(page: string, blocks: ReadonlyMap<string, string>): string {
  return [...blocks].reduce(
    (text, [name, content]) => text.replace(block(name), (_, begin: string, __, end: string) => begin + content + end),
    page,
  );
}

/** Names of the blocks of a page. */
export const blockNames = (page: string): string[] =>
  [...page.matchAll(/<!-- results: (\S+) -->/g)].map(([, name]) => name);

function blocksOf(store: RunStore, scale: string): Map<string, string> {
  const records = store.list();
  const main = mainRuns(records);
  const layers = (id: string) => store.layers(id);
  const runs = main.map((record) => ({ record, layers: layers(record.id) }));
  const [group] = layeredGroupsOf(runs);
  const inputSide = (claims: FigureClaim[], what: string): FigureClaim[] =>
    claims.filter(({ of }) => of.endsWith('(input side)')).map((claim) => ({ ...claim, of: what }));
  const claims = [
    ...inputSide(distanceClaims(group), 'F1. Distance from the pretrained weights, input third'),
    ...inputSide(firstEpochClaims(group), 'F2. Gradient norm, first epoch after the reset, input third'),
    ...inputSide(gradientClaims(group), 'F2. Gradient norm, all epochs after the reset, input third'),
  ];
  const claimed = claimsTable(claims, { title: '' });
  const points = regimePoints(regimeRuns(basicRuns(records), { layers }));
  const methods = methodsTable(main);
  return new Map(
    Object.entries({
      methods: `${methods.toMarkdown()}\n\n${methods.notes.slice(0, 1).join('')}\n`,
      claims: `${claimed.toMarkdown()}\n\n${claimed.notes.join(' ')}\n`,
      recovery: `${recoveryTable(main).toMarkdown()}\n`,
      power: `${powerTable(main, { layers }).toMarkdown()}\n`,
      regime:
        points.length < 2
          ? 'The other settings of the study `regime` have not been run: `npx rifle sweep --study regime --scale mini`.\n'
          : `${regimeTable(regimeRuns(basicRuns(records), { layers })).toMarkdown()}\n`,
      runs: runsText(records, scale),
    }),
  );
}

/** How many runs there are, how long they took, and where. */
function runsText(records: readonly RunRecord[], scale: string): string {
  const planned = plan(scaleNamed(scale)).length;
  const distinct = (of: (record: RunRecord) => string): string => [...new Set(records.map(of))].join('; ');
  const seconds = records.reduce((sum, { wallSeconds }) => sum + wallSeconds, 0);
  const failed = records.filter(({ status }) => status === 'failed').length;
  return (
    `${records.length} runs of the ${planned} that \`rifle reproduce --scale ${scale}\` makes, ${failed} of them failed, ${duration(seconds)} in all. ` +
    `Kit ${distinct(({ environment }) => environment.kit)}, numerics ${distinct(({ numerics }) => String(numerics.kit))}, ` +
    `commit ${distinct(({ environment }) => (environment.gitCommit ?? 'unknown').slice(0, 12))}, ` +
    `TensorFlow ${distinct(({ environment }) => environment.tensorflow)}, ` +
    `${distinct(({ environment }) => `${environment.cpu}, ${environment.cores} cores`)}.\n`
  );
}
