// The set-up's command line: its flags, its help, its summary and its exit code.
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { takeLocks } from './lock.mjs';
import { packageRoot, places } from './place.mjs';
import { Interrupted, Problem } from './problem.mjs';
import { context, expectedSeconds, pendingSteps, runSteps } from './run.mjs';
import { duration, screen } from './screen.mjs';
import { stepsFor } from './steps.mjs';

const steps = stepsFor(places(packageRoot, process.env));

const HELP = `Makes this machine ready for rifle-kit. Every step is skipped when it is done already.

  node setup/main.mjs [options]            (or: npm run setup -- [options])

  --only STEP[,STEP]  only these steps
  --force             do them even if they are done
  --check             only say what is not done yet; exit 1 if there is any
  --json              a report on standard output: {ok, seconds, steps: [{name, state, seconds, detail, fix?}]};
                      the lines for people go to standard error
  --help              this text

Steps, in order:
${steps.map((step) => `  ${step.name.padEnd(15)} ${step.what}`).join('\n')}

Environment:
  RIFLE_HOME          folder for all that is fetched and made (default: .rifle in the package, or in the study that has it)
  RIFLE_DEVICE        cpu, gpu or auto (default: gpu where an NVIDIA driver is loaded)
  RIFLE_PYTHON        the Python that makes the environment (default: python3 and its kin on the path)
  NO_COLOR            no colours
pip and npm are used with their own settings (index, proxy, certificates); nothing is fetched in any other way.
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
    throw new Problem(error.message, {
      fix: `Steps: ${steps.map((step) => step.name).join(', ')}. \`node setup/main.mjs --help\` tells more.`,
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
      release = await takeLocks(ctx.places, {
        signal: ending.signal,
        onWait: (pid) => show.say(`Another set-up (process ${pid}) is at work here: waiting for it.`),
      });
    ctx.force = chosen.force;
    ctx.pending = pendingSteps(chosen.steps, ctx);
    const ready = ctx.pending.length === 0;
    if (!ready && !chosen.check) {
      fs.rmSync(ctx.places.log, { force: true });
      const expected = ctx.pending.reduce((sum, step) => sum + expectedSeconds(step, ctx), 0);
      show.say(
        `Set-up of rifle-kit in ${packageRoot} (${ctx.platform}, ${ctx.device}): ${ctx.pending.length} steps, about ${duration(expected)}`,
      );
    }
    result = await runSteps(chosen.steps, ctx, show, { quiet: ready, checkOnly: chosen.check });
    const seconds = duration((Date.now() - began) / 1000);
    if (result.ok) show.say(ready ? `Set-up: everything is ready (${seconds}).` : `Set-up: ready after ${seconds}.`);
  } catch (error) {
    if (error instanceof Interrupted) result = { ok: false, interrupted: true, steps: [] };
    else if (error instanceof Problem) {
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
