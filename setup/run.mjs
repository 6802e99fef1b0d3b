// Runs the steps in order. Steps that are done are skipped. The first failure stops the set-up.
import fs from 'node:fs';
import path from 'node:path';
import { device, platformName } from './system/machine.mjs';
import { pathsOf } from './system/paths.mjs';
import { Interrupted, SetupError } from './setup-error.mjs';

/**
 * What a step gets.
 * @typedef {object} Context
 * @property {ReturnType<typeof pathsOf>} paths
 * @property {NodeJS.ProcessEnv} env
 * @property {string} platform   `linux-x64`
 * @property {'cpu' | 'gpu'} device
 * @property {any} pins          setup/pins.json
 * @property {AbortSignal} signal  ends the step
 * @property {boolean} force  run the step even if it is done
 * @property {import('./steps.mjs').Step[]} pending  the steps that are not done when the set-up begins
 * @property {(state: {fraction?: number, detail?: string}) => void} progress
 */

/** @returns {Context} */
export function context(root, env, signal, progress = () => {}) {
  const pins = JSON.parse(fs.readFileSync(path.join(root, 'setup', 'pins.json'), 'utf8'));
  return {
    paths: pathsOf(root, env),
    env,
    platform: platformName(),
    device: device(env),
    pins,
    signal,
    force: false,
    pending: [],
    progress,
  };
}

/** What a step has made; null when it is not done. A step whose files are missing (ENOENT) is not done. */
function state(step, ctx) {
  try {
    return step.done(ctx);
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

/** The steps that are not done. `prerequisites` is not among them: it is done when all others are. */
export const pendingSteps = (steps, ctx) =>
  steps.filter((step) => step.name !== 'prerequisites' && (ctx.force || state(step, ctx) === null));

/** Seconds that a step is expected to take the first time. */
export const expectedSeconds = (step, ctx) => (typeof step.seconds === 'function' ? step.seconds(ctx) : step.seconds);

/**
 * @param {import('./steps.mjs').Step[]} steps
 * @param {Context} ctx  its `pending` as `pendingSteps` says
 * @param {ReturnType<import('./screen.mjs').screen>} show
 * @param {{quiet?: boolean, checkOnly?: boolean}} options
 *   `quiet`: print no line for steps that are done; `checkOnly`: run nothing, list the steps that are not done
 * @returns {Promise<{ok: boolean, interrupted?: boolean, steps: {name: string, state: 'done' | 'skipped' | 'failed' |
 *   'to do', seconds: number, detail: string, fix?: string}[]}>}
 */
export async function runSteps(steps, ctx, show, { quiet = false, checkOnly = false } = {}) {
  const report = [];
  const note = (step, outcome, seconds, detail, more = {}) =>
    report.push({ name: step.name, state: outcome, seconds: Math.round(seconds * 1000) / 1000, detail, ...more });
  for (const step of steps) {
    const began = Date.now();
    const seconds = () => (Date.now() - began) / 1000;
    try {
      // Checked again: an earlier step may have done or undone it.
      const already = ctx.force && ctx.pending.includes(step) ? null : state(step, ctx);
      if (already !== null) {
        if (!quiet) show.skipped(step.title, already);
        note(step, 'skipped', seconds(), already);
      } else if (checkOnly) {
        show.say(`- ${step.title.padEnd(22)} to do: ${step.what}`);
        note(step, 'to do', seconds(), step.what, { fix: 'npm run setup' });
      } else {
        show.begin(step.title, step.what, expectedSeconds(step, ctx));
        const detail = await step.run(ctx);
        show.done(step.title, detail, seconds());
        note(step, 'done', seconds(), detail);
      }
    } catch (error) {
      if (error instanceof Interrupted || ctx.signal?.aborted) {
        show.interrupted(step.title);
        note(step, 'failed', seconds(), 'interrupted', { fix: 'npm run setup' });
        return { ok: false, interrupted: true, steps: report };
      }
      const problem =
        error.code === 'ENOSPC'
          ? new SetupError('The disk is full.', {
              fix: 'Free some space, then run `npm run setup` again.',
              cause: error,
            })
          : error;
      if (!(problem instanceof SetupError) && problem.name !== 'KitError')
        show.failed(
          step.title,
          { message: problem.stack ?? String(problem), fix: 'This is a bug in the set-up. Please report it.' },
          seconds(),
        );
      else show.failed(step.title, problem, seconds());
      note(step, 'failed', seconds(), problem.message, { fix: problem.fix });
      return { ok: false, steps: report };
    }
  }
  return { ok: report.every((entry) => entry.state !== 'to do'), steps: report };
}
