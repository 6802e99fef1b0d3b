// The benchmark `memory`: what a process holds over many steps, and its peak as the batch grows.
import { Contender } from './contender';
import { isQuiet, othersNow } from './machine';
import { fitLine, spread } from './quantiles';
import { save, type Measured } from './results';
import { spreadText, terminalTable, type TableContent } from './tables';
import { contenders, OURS } from './train-step';

/** What was held, MB. */
export interface MemoryResult extends Measured {
  /** After each tenth of the steps. */
  steps: number;
  heldMb: number[];
  /** (most - least) / least of the last nine tenths. */
  drift: number;
  /** Peak of a process whose steps have so many images, and the line through them. */
  batches: number[];
  peakMb: number[];
  mbPerImage: number;
  fixedMb: number;
  r2: number;
}

const TENTHS = 10;
const BATCHES = [4, 8, 16, 32];

/**
 * Measures, prints, and keeps the result where that is asked for; the exit code is 1 when memory drifts by 1 % or more.
 */
export async function memory({
  steps,
  save: keep,
  json,
}: {
  steps: number;
  save?: boolean;
  json?: boolean;
}): Promise<void> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  say(
    `${steps} steps of MobileNetV2 at 32 pixels, then at 224 with batches of ${BATCHES.join(', ')}: about 3 min on two cores.`,
  );
  const quiet = isQuiet(await othersNow());
  const held: number[] = [];
  const versions = await withOurs(['mobilenet_v2', '8', '32', 'float32'], async (ours) => {
    for (let tenth = 0; tenth < TENTHS; tenth++) {
      await ours.take(Math.ceil(steps / TENTHS));
      held.push(ours.heldMb());
    }
    return ours.versions;
  });
  const peaks: number[] = [];
  for (const batch of BATCHES) {
    peaks.push(
      await withOurs(['mobilenet_v2', String(batch), '224', 'float32'], async (ours) => {
        await ours.take(3);
        return ours.peakMb();
      }),
    );
    say(`batch ${batch}: ${peaks.at(-1)!.toFixed(0)} MB`);
  }
  const settled = held.slice(1);
  const { slope, intercept, r2 } = fitLine(BATCHES.map((batch, i) => [batch, peaks[i]]));
  const result: MemoryResult = {
    ...{ steps, heldMb: held, drift: (Math.max(...settled) - Math.min(...settled)) / Math.min(...settled) },
    ...{ batches: BATCHES, peakMb: peaks, mbPerImage: slope, fixedMb: intercept, r2, versions, quiet },
  };
  console.log(json ? JSON.stringify(result, null, 2) : terminalTable(memoryTable([result])));
  if (result.drift >= 0.01) process.exitCode = 1;
  if (keep) say(`Kept in ${await save('memory', [result], () => '')}`);
}

async function withOurs<T>(args: string[], work: (ours: Contender) => Promise<T>): Promise<T> {
  const ours = await Contender.start(contenders[OURS].command(args));
  try {
    return await work(ours);
  } finally {
    ours.stop();
  }
}

/** What is held over the steps, and per image. */
export const memoryTable = (results: MemoryResult[]): TableContent => ({
  head: ['MobileNetV2', 'MB', ''],
  rows: results.flatMap(({ steps, heldMb, drift, batches, peakMb, mbPerImage, fixedMb, r2 }) => [
    [
      `held over ${steps} steps, 32 px, batch 8`,
      spreadText(spread(heldMb.slice(1)), 1),
      `drift ${(100 * drift).toFixed(2)} %`,
    ],
    [
      `peak at batch ${batches.join(', ')}, 224 px`,
      peakMb.map((mb) => mb.toFixed(0)).join(', '),
      `${mbPerImage.toFixed(1)} MB per image + ${fixedMb.toFixed(0)}, r² ${r2.toFixed(4)}`,
    ],
  ]),
});
