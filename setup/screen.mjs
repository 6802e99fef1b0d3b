// Prints the progress of the set-up: one line for each step; on a terminal a bar with the elapsed time and the time
// left, elsewhere plain lines.

const BAR = 16;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Most characters shown of a line that a failing program printed. The log has the whole line. */
const LINE = 200;
/** Seconds between two lines about a long step where the output is no terminal. */
const REMINDER_SECONDS = 15;

/** `0.3 s`, `41 s`, `2 min 5 s`. */
export function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/**
 * The line of a running step.
 * @param {{title: string, elapsed: number, expected: number, fraction?: number, detail?: string, frame?: number}} state
 *   times in seconds; `fraction` done in [0, 1]; without it, the elapsed part of the expected time is shown
 */
export function bar({ title, elapsed, expected, fraction, detail = '', frame = 0 }) {
  const share = Math.min(fraction ?? elapsed / expected, 0.99);
  const filled = Math.round(share * BAR);
  // From the fraction when more than 5 % are done; before that, from the expected time.
  const left = fraction !== undefined && fraction > 0.05 ? elapsed / fraction - elapsed : expected - elapsed;
  const time = left > 0 ? `about ${duration(Math.max(1, left))} left` : 'longer than expected';
  return `${FRAMES[frame % FRAMES.length]} ${title.padEnd(22)} ${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${duration(elapsed)}, ${time}  ${detail}`;
}

/**
 * Shows steps on `stream`.
 * @param {NodeJS.WriteStream} stream
 * @param {NodeJS.ProcessEnv} env
 */
export function screen(stream, env) {
  const live = Boolean(stream.isTTY) && env.TERM !== 'dumb';
  const coloured = live && !env.NO_COLOR;
  const colour = (code, text) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text);
  const line = (text) => stream.write(`${live ? '\r\x1b[K' : ''}${text}\n`);
  let timer;
  let shown = null;

  function draw() {
    if (shown === null) return;
    const elapsed = (Date.now() - shown.began) / 1000;
    shown.frame += 1;
    const text = bar({ ...shown, elapsed });
    stream.write(`\r\x1b[K${text.slice(0, Math.max(20, (stream.columns || 80) - 1))}`);
  }

  function remind() {
    const { title, began, expected, detail } = shown;
    line(
      `  ${title}: ${duration((Date.now() - began) / 1000)} so far, about ${duration(expected)} expected${detail ? `  (${detail})` : ''}`,
    );
  }

  function stop() {
    clearInterval(timer);
    shown = null;
  }

  return {
    say: (text) => line(text),
    /** Begins a step: its title, what it does, and its expected time in seconds. */
    begin(title, what, expected) {
      shown = { title, began: Date.now(), expected, detail: what, frame: 0 };
      if (!live) line(`- ${title}: ${what}${expected > 2 ? ` (about ${duration(expected)})` : ''}`);
      timer = setInterval(live ? draw : remind, live ? 100 : REMINDER_SECONDS * 1000);
    },
    /** The progress of the running step: `fraction` done in [0, 1], and a few words. */
    progress({ fraction, detail }) {
      if (shown === null) return;
      if (fraction !== undefined) shown.fraction = fraction;
      if (detail !== undefined) shown.detail = detail;
    },
    done(title, detail, seconds) {
      stop();
      line(`${colour(32, '✓')} ${title.padEnd(22)} ${detail}  ${colour(2, duration(seconds))}`);
    },
    skipped(title, detail) {
      line(colour(2, `· ${title.padEnd(22)} ${detail}`));
    },
    failed(title, problem, seconds) {
      stop();
      line(`${colour(31, '✗')} ${title.padEnd(22)} failed after ${duration(seconds)}`);
      line('');
      for (const text of problem.output ?? []) line(colour(2, `    ${text.slice(0, LINE)}`));
      if (problem.output?.length) line('');
      line(problem.message);
      if (problem.fix) line(`${colour(1, 'To fix it:')} ${problem.fix}`);
    },
    interrupted(title) {
      stop();
      line(
        `${colour(33, '!')} ${title.padEnd(22)} interrupted; unfinished files are deleted. \`npm run setup\` resumes here.`,
      );
    },
  };
}
