// `rifle reproduce --against`: whether this machine gives the numbers of a bundle.
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pc from 'picocolors';
import type { Grade } from '../../runs/bundle/grade';
import type { Repetition } from '../../studies/against';
import { percent, printJson, printLine, printList } from '../print';
import { duration, withProgress } from '../progress';

/** Flags of the command that concern bundles. */
export interface AgainstFlags {
  sample?: number;
  sampleSeed?: number;
  runs?: string;
  json?: boolean;
}

/** Repeats runs of `bundle`. The exit code is 1 when a run differs or could not be repeated. */
export async function reproduceAgainst(
  bundle: string,
  { sample, sampleSeed, runs, json }: AgainstFlags,
): Promise<void> {
  const { withBundle } = await import('../../runs/bundle/import-bundle.js');
  const { ROUNDING } = await import('../../runs/bundle/grade.js');
  const { repeatRuns } = await import('../../studies/against.js');
  const { RunStore } = await import('../../runs/store/store.js');
  const folder = runs ?? (await fsp.mkdtemp(path.join(os.tmpdir(), 'rifle-reproduce-')));
  const began = performance.now();
  try {
    const { repetitions, of } = await withBundle(bundle, async (expected) => {
      const count = expected.ids().length;
      if (!json) printLine(`Repeating ${Math.min(count, sample ?? count)} of the ${count} runs of ${bundle}.`);
      const done = await withProgress(json, (options) =>
        repeatRuns(expected, new RunStore(folder), { ...options, sample, seed: sampleSeed }),
      );
      return { repetitions: done, of: count };
    });
    const isGood = repetitions.every(({ graded }) => graded !== null && graded.grade !== 'different');
    if (!isGood) process.exitCode = 1;
    if (json) {
      const results = repetitions.map(({ record, graded, why }) => ({
        run: record.id,
        expectedTop1: record.top1,
        seconds: record.wallSeconds,
        ...(graded ?? { grade: 'not repeated' }),
        why,
      }));
      return printJson({ bundle, of, tolerance: ROUNDING, results });
    }
    printRepetitions(repetitions);
    printLine(
      `\n${summaryOf(repetitions)} in ${duration((performance.now() - began) / 1000)}.\n` +
        `Within rounding: the training loss of epoch 1 within ${100 * ROUNDING.firstLoss} %, ` +
        `the last accuracy within ${100 * ROUNDING.top1} points.`,
    );
  } finally {
    if (runs === undefined) await fsp.rm(folder, { recursive: true, force: true });
  }
}

function printRepetitions(repetitions: readonly Repetition[]): void {
  printList(
    ['run', 'method', 'data set', 'backbone', 'seed', 'expected', 'here', 'grade', 'first other epoch'],
    repetitions.map(({ record, graded }) => [
      record.id,
      record.method,
      record.dataset.name,
      record.spec.backbone,
      record.spec.seed,
      percent(record.top1),
      graded === null ? '–' : percent(record.top1 + graded.top1),
      colored(graded?.grade ?? null),
      graded?.firstDifferentEpoch ?? '–',
    ]),
    { optional: ['backbone', 'first other epoch', 'data set'] },
  );
  for (const { record, why } of repetitions) if (why !== null) printLine(`${record.id}: ${why}`);
  const conditions = [...new Set(repetitions.flatMap(({ graded }) => graded?.conditions ?? []))];
  if (conditions.length > 0) printLine(`Other conditions than in the bundle: ${conditions.join(', ')}.`);
}

const colored = (grade: Grade | null): string =>
  grade === null
    ? pc.red('not repeated')
    : grade === 'same bits'
      ? pc.green(grade)
      : grade === 'within rounding'
        ? pc.yellow(grade)
        : pc.red(grade);

function summaryOf(repetitions: readonly Repetition[]): string {
  const count = (grade: Grade | null): number =>
    repetitions.filter(({ graded }) => (graded?.grade ?? null) === grade).length;
  return (
    `${repetitions.length} runs: ${count('same bits')} with the same bits, ` +
    `${count('within rounding')} within rounding, ${count('different')} different, ${count(null)} not repeated`
  );
}
