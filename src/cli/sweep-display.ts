// The live table of a sweep on stderr: the run of each worker, the finished runs and the time left; plain lines where
// stderr is no terminal.
import pc from 'picocolors';
import type { PoolRun } from '../runs/pool/pool';
import { percent, terminalWidth, visibleText } from './print';
import { duration } from './progress';

/** A display; `stop` must be called before anything else is printed. */
export interface SweepDisplay {
  onRun(run: PoolRun): void;
  onNotice(text: string): void;
  stop(): void;
}

/** The state that a table shows. */
export interface SweepScreen {
  runs: ReadonlyMap<number, PoolRun>;
  /** Seconds that each run was estimated to take on one device, or null. */
  seconds: readonly (number | null)[];
  workers: number;
  /** Seconds since the sweep began. */
  elapsed: number;
}

/**
 * Seconds left, from the pace since the sweep began: runs count by their estimates, where all have one, else by their
 * epochs. Null before there is a pace.
 */
export function secondsLeft({ runs, seconds, elapsed }: SweepScreen): number | null {
  const [counted, open] = [
    [...runs.values()].filter(({ state }) => state !== 'reused' && state !== 'failed'),
    seconds.length - runs.size,
  ];
  const known = seconds.every((value) => value !== null);
  const workOf = (run: PoolRun): number => (known && seconds[run.index]! > 0 ? seconds[run.index]! : run.epochs);
  const shareOf = (run: PoolRun): number =>
    run.progress && run.progress.unit === 'steps'
      ? run.progress.done / run.progress.total
      : run.epochsDone / run.epochs;
  const done = counted.reduce((sum, run) => sum + workOf(run) * shareOf(run), 0);
  const seen = counted.reduce((sum, run) => sum + workOf(run), 0);
  const unseen = known
    ? seconds.reduce<number>((sum, value, i) => sum + (runs.has(i) ? 0 : value!), 0)
    : (open * seen) / Math.max(1, counted.length);
  return done === 0 ? null : (elapsed / done) * (seen + unseen - done);
}

/** The lines of the table. */
export function screenLines(screen: SweepScreen): string[] {
  const runs = [...screen.runs.values()];
  const count = (...states: PoolRun['state'][]): number => runs.filter(({ state }) => states.includes(state)).length;
  const total = screen.seconds.length;
  const left = secondsLeft(screen);
  const ended = count('finished', 'diverged', 'reused', 'failed');
  const head = [
    `${ended}/${total} runs`,
    `${count('finished', 'diverged')} made`,
    `${count('reused')} reused`,
    ...(count('failed') > 0 ? [pc.red(`${count('failed')} failed`)] : []),
    duration(screen.elapsed),
    ...(left === null || ended === total ? [] : [pc.bold(`${duration(left)} left`)]),
  ];
  const running = runs.filter(({ state }) => state === 'running').sort((a, b) => a.worker! - b.worker!);
  return [head.join(' · '), ...running.map(runLine)];
}

/** A run in one line; what comes from outside is made visible. */
export function runLine(run: PoolRun): string {
  const device = run.device === null ? '' : ` GPU ${run.device}`;
  const worker = run.worker === null ? '' : `${run.worker + 1}${device}  `;
  const name = `${run.title}, ${run.spec.dataset.split(/[\\/]/).pop()}, ${run.spec.backbone}`;
  return visibleText(`${run.state === 'running' ? worker : ''}${name}: ${stateText(run)}`, 2000).replace(/\n/g, ' ');
}

function stateText({ state, progress, cause, top1 }: PoolRun): string {
  switch (state) {
    case 'running': {
      if (progress === null) return 'starts';
      const done = Math.floor((100 * progress.done) / Math.max(1, progress.total));
      return `${done} % · ${progress.detail ?? progress.task}`;
    }
    case 'waiting':
      return `waiting: ${cause}`;
    case 'failed':
      return `${pc.red('failed')}: ${cause}`;
    case 'diverged':
      return pc.yellow('diverged');
    case 'finished':
      return `top-1 ${percent(top1 ?? NaN)}`;
    case 'reused':
      return `top-1 ${percent(top1 ?? NaN)} (reused)`;
  }
}

/** Milliseconds between two drawings, and seconds between two lines on what is no terminal. */
const [DRAW_EVERY, LINE_EVERY] = [200, 30];

/** Shows a sweep. @param seconds see `SweepScreen`. */
export function showSweep({
  seconds,
  workers,
  quiet = false,
}: {
  seconds: readonly (number | null)[];
  workers: number;
  quiet?: boolean;
}): SweepDisplay {
  const runs = new Map<number, PoolRun>();
  const began = performance.now();
  const screen = (): SweepScreen => ({ runs, seconds, workers, elapsed: (performance.now() - began) / 1000 });
  const out = process.stderr;
  const live = out.isTTY && !quiet;
  let drawn = 0;
  const erase = (): void => void (drawn > 0 && out.write(`\x1b[${drawn}A\x1b[J`));
  const draw = (): void => {
    erase();
    const lines = screenLines(screen()).map((line) => clip(line, terminalWidth(out)));
    out.write(`${lines.join('\n')}\n`);
    drawn = lines.length;
  };
  const say = (line: string): void => {
    if (quiet) return;
    if (live) erase();
    out.write(`${line}\n`);
    drawn = 0;
    if (live) draw();
  };
  const timer = quiet
    ? undefined
    : setInterval(
        live ? draw : () => screenLines(screen()).forEach((line) => out.write(`${line}\n`)),
        live ? DRAW_EVERY : LINE_EVERY * 1000,
      );
  timer?.unref();
  return {
    onRun(run) {
      const before = runs.get(run.index);
      runs.set(run.index, run);
      if (
        before?.state === run.state ||
        (before === undefined && run.state === 'waiting') ||
        (run.state === 'running' && live)
      )
        return;
      if (run.state !== 'reused') say(runLine(run));
    },
    onNotice: (text) => say(pc.yellow(visibleText(text, 4000))),
    stop() {
      clearInterval(timer);
      if (live) draw();
      drawn = 0;
    },
  };
}

/** A line cut to `width` columns; escape sequences take none. */
function clip(line: string, width: number): string {
  let columns = 0;
  let kept = '';
  for (const piece of line.split(/(\x1b\[[0-9;]*m)/)) {
    if (piece.startsWith('\x1b[')) kept += piece;
    else {
      kept += piece.slice(0, Math.max(0, width - columns));
      columns += piece.length;
    }
  }
  return kept;
}
