// Runs a program for a step: its output goes to the log, its lines to the progress display. A failure becomes a
// SetupError.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Interrupted, SetupError } from '../setup-error.mjs';

/** Lines of a failing program that are shown. The log has all of them. */
const SHOWN = 12;

/**
 * Runs `program` and resolves to what it printed on standard output.
 * @param {string} program
 * @param {string[]} args
 * @param {object} options
 * @param {string} options.what  the failure in words, for the error: "pip could not download x"
 * @param {string} options.log   file to which both outputs are appended
 * @param {string} [options.cwd]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {AbortSignal} [options.signal]  stops the program
 * @param {number} [options.killSeconds]  seconds after which a program that was asked to stop is killed
 * @param {(line: string) => void} [options.onLine]
 * @param {(output: string) => string | undefined} [options.fixFor]  the fix for a failure that printed `output`
 */
export async function run(
  program,
  args,
  { what, log, cwd, env, signal, killSeconds = 5, onLine = () => {}, fixFor = () => undefined },
) {
  if (signal?.aborted) throw new Interrupted();
  fs.mkdirSync(path.dirname(log), { recursive: true });
  const record = fs.openSync(log, 'a');
  fs.writeSync(record, `\n$ ${[program, ...args].join(' ')}\n`);
  const tail = [];
  let printed = '';
  try {
    const code = await new Promise((resolve, reject) => {
      // In its own process group, so that the compilers that make starts are stopped with it.
      const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
      let killing;
      const send = (killSignal) => {
        try {
          process.kill(-child.pid, killSignal);
        } catch {
          // it has already ended
        }
      };
      const stop = () => {
        send('SIGTERM');
        killing = setTimeout(send, killSeconds * 1000, 'SIGKILL'); // npm that waits for a registry ignores SIGTERM
      };
      signal?.addEventListener('abort', stop, { once: true });
      for (const stream of [child.stdout, child.stderr]) {
        let rest = '';
        stream.setEncoding('utf8');
        stream.on('data', (text) => {
          if (stream === child.stdout) printed += text;
          fs.writeSync(record, text);
          const lines = (rest + text).split(/\r\n|\n|\r/);
          rest = lines.pop();
          for (const line of lines) {
            if (line.trim() === '') continue;
            tail.push(line);
            if (tail.length > 200) tail.shift();
            onLine(line);
          }
        });
        stream.on('end', () => {
          if (rest.trim() !== '') tail.push(rest);
        });
      }
      child.on('error', reject);
      child.on('close', (status, killedBy) => {
        signal?.removeEventListener('abort', stop);
        clearTimeout(killing);
        resolve(status ?? killedBy);
      });
    });
    if (signal?.aborted) throw new Interrupted();
    if (code === 0) return printed;
    throw failure(what, code, tail, log, fixFor);
  } catch (error) {
    if (error instanceof SetupError || error instanceof Interrupted) throw error;
    throw new SetupError(`${what}: ${program} could not be started (${error.message}).`, { cause: error });
  } finally {
    fs.closeSync(record);
  }
}

/**
 * The SetupError for a program that ended with `code`. A full disk and a missing network are recognised for every
 * program.
 */
function failure(what, code, tail, log, fixFor) {
  const text = tail.join('\n');
  const again = 'then run `npm run setup` again';
  let fix = fixFor(text);
  if (/No space left on device|ENOSPC/.test(text)) fix = `The disk is full: free some space, ${again}.`;
  fix ??=
    /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|NewConnectionError|name resolution|Network is unreachable|Read timed out|Connection refused/.test(
      text,
    )
      ? `The package index could not be reached. Check the network and the settings of the client (\`npm config list\`, \`pip config list\`), ${again}.`
      : `Read its output (all of it is in ${log}), correct the cause, ${again}.`;
  return new SetupError(`${what}: the program ended with ${typeof code === 'number' ? `exit code ${code}` : code}.`, {
    fix,
    output: tail.slice(-SHOWN),
  });
}
