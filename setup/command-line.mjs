// The set-up's command line: its flags, its help, its summary and its exit code.
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { takeLocks } from './system/lock.mjs';
import { packageRoot, pathsOf } from './system/paths.mjs';
import { Interrupted, SetupError } from './setup-error.mjs';
import { context, expectedSeconds, pendingSteps, runSteps } from './run.mjs';
import { duration, screen } from './screen.mjs';
import { stepsFor } from './steps.mjs';

const steps = stepsFor(pathsOf(packageRoot, process.env));

const HELP = `Sets this machine up for rifle-kit. Steps that are done are skipped.

  node setup/main.mjs [options]            (or: npm run setup -- [options])

  --only STEP[,STEP]  only these steps
  --force             run them even if they are done
  --check             run nothing; list the steps that are not done; exit code 1 if there are any
  --json              print {ok, seconds, steps: [{name, state, seconds, detail, fix?}]} as JSON; progress goes to
                      standard error
  --help              this text

Steps, in order:
${steps.map((step) => `  ${step.name.padEnd(15)} ${step.what}`).join('\n')}

Environment:
  RIFLE_HOME          folder for downloads, environments and runs (default: .rifle beside package.json)
  RIFLE_DEVICE        cpu, gpu or auto (default: gpu where an NVIDIA driver is loaded)
  RIFLE_PYTHON        the Python that makes the environment (default: python3, python3.13, ... on the PATH)
  NO_COLOR            no colours
Downloads use pip and npm only, with their own settings (index, proxy, certificates).
`;

function options(args) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        only: { type: 'string', multiple: true },
        force: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const only = (values.only ?? []).flatMap((names) => names.split(',')).filter(Boolean);
    const unknown = only.find((name) => !steps.some((step) => step.name === name));
    if (unknown !== undefined) throw new Error(`There is no step named "${unknown}".`);
    return {
      ...values,
      steps:
        only.length > 0 ? steps.filter((step) => only.includes(step.name)) : steps.filter((step) => !step.optional),
    };
  } catch (error) {
    throw new SetupError(error.message, {
      fix: `Steps: ${steps.map((step) => step.name).join(', ')}. See \`node setup/main.mjs --help\`.`,
    });
  }
}

/** @param {string[]} args @returns {Promise<number>} the exit code */
export async function main(args) {
  const json = args.includes('--json');
  const show = screen(json ? process.stderr : process.stdout, process.env);
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => ending.abort());

  const began = Date.now();
  let release = () => {};
  let result;
  try {
    const chosen = options(args);
    if (chosen.help) {
      process.stdout.write(HELP);
      return 0;
    }
    const ctx = context(packageRoot, process.env, ending.signal, show.progress);
    if (!chosen.check)
      release = await takeLocks(ctx.paths, {
        signal: ending.signal,
        onWait: (pid) => show.say(`Another set-up (process ${pid}) is running here. Waiting for it.`),
      });
    ctx.force = chosen.force;
    ctx.pending = pendingSteps(chosen.steps, ctx);
    const ready = ctx.pending.length === 0;
    if (!ready && !chosen.check) {
      fs.rmSync(ctx.paths.log, { force: true });
      const expected = ctx.pending.reduce((sum, step) => sum + expectedSeconds(step, ctx), 0);
      show.say(
        `Set-up of rifle-kit in ${packageRoot} (${ctx.platform}, ${ctx.device}): ${ctx.pending.length} steps, about ${duration(expected)}`,
      );
    }
    result = await runSteps(chosen.steps, ctx, show, { quiet: ready, checkOnly: chosen.check });
    const seconds = duration((Date.now() - began) / 1000);
    if (result.ok) show.say(ready ? `Set-up: everything is ready (${seconds}).` : `Set-up: finished in ${seconds}.`);
  } catch (error) {
    if (error instanceof Interrupted) result = { ok: false, interrupted: true, steps: [] };
    else if (error instanceof SetupError) {
      show.failed('set-up', error, (Date.now() - began) / 1000);
      result = {
        ok: false,
        steps: [{ name: 'set-up', state: 'failed', seconds: 0, detail: error.message, fix: error.fix }],
      };
    } else throw error;
  } finally {
    release();
  }
  if (json)
    console.log(JSON.stringify({ ok: result.ok, seconds: (Date.now() - began) / 1000, steps: result.steps }, null, 2));
  if (result.interrupted) return 130;
  return result.ok ? 0 : 1;
}
