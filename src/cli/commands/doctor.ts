// `rifle doctor`: what works, what does not, and the fix.
import { Command } from 'commander';
import pc from 'picocolors';
import { printJson, printLine } from '../print';

/** The command. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'check this machine: what works, what does not, and the command that mends it; exit code 1 when something is wrong',
    )
    .option('--json', 'print {"ok", "checks"} as JSON')
    .addHelpText('after', '\nExample:\n  $ npx rifle doctor --json')
    .action(async ({ json }: { json?: boolean }) => {
      const { runChecks } = await import('../checks.js');
      const checks = await runChecks();
      const ok = checks.every((check) => check.ok);
      if (!ok) process.exitCode = 1;
      if (json) return printJson({ ok, checks });
      for (const check of checks) {
        printLine(
          `${check.ok ? pc.green('✔') : pc.red('✘')} ${check.name.padEnd(12)} ${check.found}${check.fix === '' ? '' : `\n  ${pc.cyan('→')} ${check.fix}`}`,
        );
      }
      printLine(ok ? 'Everything works.' : 'Something needs mending.');
    });
}
