// `rifle setup` and `rifle doctor`: make this machine ready, and check it.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { Command } from 'commander';
import pc from 'picocolors';
import { packageRoot } from '../../base/home';
import { examples } from '../examples';
import { printJson, printLine } from '../print';

/**
 * `rifle setup`: runs the set-up that comes with the package. Its options and its exit code are those of the set-up.
 */
export function setupCommand(): Command {
  return new Command('setup')
    .description('set this machine up: TensorFlow, JupyterLab, default weights and data; skips what is there')
    .argument('[options...]', 'options of the set-up, after --: `rifle setup -- --check`')
    .addHelpText('after', examples('rifle setup', 'rifle setup -- --check'))
    .action(async (options: string[]) => {
      const main = path.join(packageRoot(), 'setup', 'main.mjs');
      const child = spawn(process.execPath, [main, ...options], { stdio: 'inherit' });
      // Ctrl-C reaches the set-up as well. This process waits until the set-up has stopped.
      process.on('SIGINT', () => undefined);
      process.exitCode = await new Promise<number>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code) => resolve(code ?? 1));
      });
    });
}

/**
 * `rifle doctor`: what works, what does not, and the command that fixes it. Each result is printed when it is known.
 */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check this machine; prints the command that fixes a problem; exit code 1 when there is a problem')
    .option('--json', 'print {"ok", "checks"} as JSON')
    .addHelpText('after', examples('rifle doctor --json'))
    .action(async ({ json }: { json?: boolean }) => {
      const { runChecks } = await import('../checks.js');
      const checks = [];
      for await (const check of runChecks()) {
        checks.push(check);
        if (json) continue;
        const { name, ok, found, fix } = check;
        printLine(`${ok ? pc.green('✔') : pc.red('✘')} ${name.padEnd(12)} ${found}`);
        if (fix !== '') printLine(`  ${pc.cyan('→')} ${fix}`);
      }
      const ok = checks.every((check) => check.ok);
      if (!ok) process.exitCode = 1;
      if (json) return printJson({ ok, checks });
      printLine(ok ? 'Everything works.' : 'There are problems. The arrows show how to fix them.');
    });
}
