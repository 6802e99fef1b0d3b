// `rifle lab`: JupyterLab with the TypeScript kernel, on this machine only.
import fs from 'node:fs';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { packageRoot } from '../../../base/home';
import { examples } from '../../examples';
import { interruptible, Stopped } from '../../interrupt';
import { printLine } from '../../print';

const port = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65535)
    throw new InvalidArgumentError('Expected a port, 1 to 65535.');
  return value;
};

/** The command. */
export function labCommand(): Command {
  return new Command('lab')
    .description('open the notebooks in JupyterLab, with the TypeScript kernel; Ctrl-C ends it')
    .argument('[folder]', "folder with notebooks (default: `notebooks` here, else the kit's)")
    .option('--port <n>', 'port; another one when it is taken', port, 8888)
    .option('--no-browser', 'print the address only')
    .option('--verbose', 'print the messages of the server')
    .addHelpText('after', examples('rifle lab', 'rifle lab ~/studies --port 9000 --no-browser'))
    .action(async (given: string | undefined, flags: { port: number; browser: boolean; verbose?: boolean }) => {
      const { startLab } = await import('../../../notebook/lab.js');
      const folder =
        given ??
        [path.resolve('notebooks'), path.join(packageRoot(), 'notebooks')].find((each) => fs.existsSync(each)) ??
        process.cwd();
      // A closed terminal ends the server too.
      const hungUp = new AbortController();
      process.on('SIGHUP', () => hungUp.abort(new Stopped()));
      const signal = AbortSignal.any([interruptible(), hungUp.signal]);
      const lab = await startLab({
        folder,
        port: flags.port,
        browser: flags.browser,
        signal,
        onLine: flags.verbose ? (line) => process.stderr.write(`${line}\n`) : undefined,
      });
      printLine(`JupyterLab shows ${folder} at
  ${pc.cyan(lab.url)}`);
      printLine('Only this machine reaches it, and only with the token in that address. Ctrl-C ends it.');
      const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      await Promise.race([lab.ended, stopped]);
      await lab.stop();
      if (signal.aborted && !(signal.reason instanceof Stopped)) throw signal.reason;
    });
}
