// The benchmark `startup`: from a command to its first training step, cold and from the caches; and from a notebook to
// its first cell.
import fs from 'node:fs';
import path from 'node:path';
import { RunStore } from '../src/runs/store/store';
import { parseRunSpec } from '../src/transfer/spec/spec';
import { internals } from '../src/engine/binding';
import { kitVersion } from '../src/base/home';
import { kernelEndurance } from './kernel';
import { isQuiet, othersNow } from './machine';
import { median, spread, type Spread } from './quantiles';
import { save, type Measured } from './results';
import { withScratchHome } from './scratch-home';
import { spreadText, terminalTable, type TableContent } from './tables';
import { timed, timedJson } from './timed';

/** What there is to start. Both backbones' weights are in a registry. */
const CASES = [
  { backbone: 'efficientnet_lite0.tf_in1k', imageSize: 96, batchSize: 16 },
  { backbone: 'resnet50.keras_in1k', imageSize: 224, batchSize: 8 },
];

/** One start. */
export interface StartupResult extends Measured {
  what: string;
  /** Seconds. */
  cold: Spread;
  warm: Spread;
}

/** Measures, prints, and keeps the results where that is asked for. */
export async function startup({
  rounds,
  save: keep,
  json,
}: {
  rounds: number;
  save?: boolean;
  json?: boolean;
}): Promise<void> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  say(`${rounds} rounds of ${CASES.length} commands, cold and warm, and of a notebook's kernel: about ${rounds} min.`);
  const shares = [await othersNow()];
  const versions = { 'rifle-kit': kitVersion(), node: process.version, libtensorflow: internals().binding.TF_Version };
  const results: StartupResult[] = [];
  for (const spec of CASES) {
    const [step, programs] = [0, 1].map(() => ({ cold: [] as number[], warm: [] as number[] }));
    for (let round = 0; round < rounds; round++) {
      for (const [measure, seconds] of [
        [firstStep, step],
        [traceAndLoad, programs],
      ] as const) {
        await withScratchHome(['data', 'weights'], async (home) => {
          for (const state of ['cold', 'warm'] as const) {
            const taken = await measure(spec, home, state);
            seconds[state].push(taken.seconds);
            shares.push(taken.others);
          }
        });
      }
    }
    const what = `${spec.backbone}, ${spec.imageSize} px, batch ${spec.batchSize}`;
    for (const [title, { cold, warm }] of [
      [`\`rifle train\` until its first step is taken: ${what}`, step],
      [`programs traced and loaded: ${what}`, programs],
    ] as const) {
      results.push({ what: title, cold: spread(cold), warm: spread(warm), versions, quiet: shares.every(isQuiet) });
      say(`${title}: cold ${median(cold).toFixed(2)} s, warm ${median(warm).toFixed(2)} s`);
    }
  }
  const { firstResultSeconds, importSeconds } = await kernelEndurance({ restarts: rounds, cells: 0, imports: rounds });
  const notebook = {
    cold: spread([firstResultSeconds[0]]),
    warm: spread(firstResultSeconds.slice(1)),
    versions,
    quiet: isQuiet(await othersNow()),
  };
  results.push({ what: "a notebook's kernel to the result of its first cell", ...notebook });
  results.push({
    what: 'the import of the kit in a cell',
    ...notebook,
    cold: spread([importSeconds[0]]),
    warm: spread(importSeconds.slice(1)),
  });
  console.log(json ? JSON.stringify(results, null, 2) : terminalTable(startupTable(results)));
  if (keep) say(`Kept in ${await save('startup', results, (r) => r.what)}`);
}

type Case = (typeof CASES)[number];
type Start = { seconds: number; others: number | null };

/**
 * Seconds from the start of `rifle train` until its first step is taken: until its one epoch, of one step and one batch
 * of evaluation, is over, less what the run's record says that the evaluation took.
 */
async function firstStep(spec: Case, home: string, state: string): Promise<Start> {
  const limits = { trainPerClass: spec.batchSize / 4, testPerClass: 1 }; // elpv has four classes
  const file = path.join(home, 'spec.json');
  fs.writeFileSync(file, JSON.stringify(parseRunSpec({ ...spec, dataset: 'elpv', epochs: 1, limits })));
  const store = path.join(home, `runs-${state}`);
  const args = [path.join(__dirname, '..', 'src', 'cli', 'main.js'), 'train', '--spec', file, '--runs', store];
  let over = NaN;
  const { others } = await timed({ command: process.execPath, args, env: { RIFLE_HOME: home } }, (text, seconds) => {
    if (/seed 0: 100 %/.test(text)) over = seconds;
  });
  const [
    {
      epochs: [{ evaluateSeconds }],
    },
  ] = new RunStore(store).list();
  return { seconds: over - evaluateSeconds, others };
}

/** Seconds in which a process makes the programs of a run, from the tracing to the loaded graph. */
async function traceAndLoad(spec: Case, home: string): Promise<Start> {
  const { printed, others } = await timedJson<{ seconds: number }>({
    command: process.execPath,
    args: [path.join(__dirname, 'startup-contender.js'), JSON.stringify(spec)],
    env: { RIFLE_HOME: home },
  });
  return { seconds: printed.seconds, others };
}

/** A line for each start. */
export const startupTable = (results: StartupResult[]): TableContent => ({
  head: ['seconds', 'cold', 'again'],
  rows: results.map(({ what, cold, warm, quiet }) => [
    `${what}${quiet ? '' : ' (NOT QUIET)'}`,
    spreadText(cold),
    spreadText(warm),
  ]),
});
