// `npm run bench -- show`: the kept results as the tables of bench/README.md.
import fs from 'node:fs';
import path from 'node:path';
import { KitError } from '../src/base/errors';
import { packageRoot } from '../src/base/home';
import { writeWhole } from '../src/base/files/write-whole';
import { endToEndTable, type EndToEndResult } from './end-to-end';
import { gridTable, type GridResult } from './grid';
import { memoryTable, type MemoryResult } from './memory';
import { readResults, resultsFolder, type Measured, type ResultFile } from './results';
import { startupTable, type StartupResult } from './startup';
import { markdownTable, type TableContent } from './tables';
import { overview, type TrainStepResult } from './train-step';

/** The benchmarks that keep results, and how each is told. */
const TABLES: Record<string, { caption: string; table(results: Measured[]): TableContent }> = {
  'train-step': {
    caption:
      "A training step: images per second of ours, and how many times as fast that is as each peer (median over rounds, quartiles); peak memory, and as a part of PyTorch's.",
    table: (results) => overview(results as TrainStepResult[]),
  },
  'end-to-end': {
    caption: "A whole experiment, from data to accuracy: seconds of the program, and PyTorch's as a multiple of ours.",
    table: (results) => endToEndTable(results as EndToEndResult[]),
  },
  startup: {
    caption: 'Starting: with nothing made before, and again.',
    table: (results) => startupTable(results as StartupResult[]),
  },
  grid: {
    caption: 'Growth: seconds = c · value^exponent, one dimension at a time.',
    table: (results) => gridTable(results as GridResult[]),
  },
  memory: { caption: 'Memory.', table: (results) => memoryTable(results as MemoryResult[]) },
};

/** Markdown of one file of results; what was measured beside other work is left out, and counted. */
export function resultsText({ date, machine, benchmarks }: ResultFile): string {
  const { cpu, cores, memoryGb, platform, gpu } = machine;
  const parts = [`### ${date}: ${cpu}, ${cores} cores, ${memoryGb} GB${gpu === null ? '' : `, ${gpu}`} (${platform})`];
  for (const [name, { caption, table }] of Object.entries(TABLES)) {
    const all = benchmarks[name] ?? [];
    const quiet = all.filter((each) => each.quiet);
    if (all.length === 0) continue;
    parts.push(`**\`${name}\`** ${caption}`);
    if (quiet.length > 0) parts.push(markdownTable(table(quiet)), `With ${versionsText(quiet)}.`);
    if (quiet.length < all.length)
      parts.push(`${all.length - quiet.length} of ${all.length} left out: something else worked on the machine.`);
  }
  return parts.join('\n\n');
}

/** Every version that took part, once. */
function versionsText(measured: Measured[]): string {
  const versions = new Set(
    measured.flatMap((each) =>
      Object.entries(each.versions).map(([name, version]) => `${name} ${version.replace(/^v/, '')}`),
    ),
  );
  return [...versions].sort().join(', ');
}

const [BEGIN, END] = ['<!-- results: npm run bench -- show --write -->', '<!-- end of results -->'];

/** `document` with `text` between its two marks. @throws KitError when it lacks them. */
export function withResults(document: string, text: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin)
    throw new KitError(`The document lacks the line ${BEGIN} or, after it, ${END}.`, {
      code: 'BENCH_SHOW',
      fix: 'Put both back.',
    });
  return `${document.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${document.slice(end)}`;
}

/** Prints the tables of all kept results, the newest first, or puts them into bench/README.md. */
export async function show({ write }: { write?: boolean }): Promise<void> {
  const folder = resultsFolder();
  const files = fs.existsSync(folder)
    ? fs
        .readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .sort()
        .reverse()
    : [];
  if (files.length === 0)
    throw new KitError(`No results are kept in ${path.relative(process.cwd(), folder)}.`, {
      code: 'BENCH_SHOW',
      fix: 'Run a benchmark with --save.',
    });
  const text = files.map((name) => resultsText(readResults(path.join(folder, name)))).join('\n\n');
  if (!write) return console.log(text);
  const readme = path.join(packageRoot(), 'bench', 'README.md');
  await writeWhole(readme, withResults(fs.readFileSync(readme, 'utf8'), text));
}
