#!/usr/bin/env node
// The command `rifle`: one file or folder per command in commands/.
import { Command, CommanderError } from 'commander';
import { dataCommand } from './commands/data';
import { kernelCommand } from './commands/notebook/kernel';
import { labCommand } from './commands/notebook/lab';
import { doctorCommand, setupCommand } from './commands/machine';
import { methodsCommand } from './commands/methods';
import { newCommand } from './commands/new';
import { notebooksCommand } from './commands/notebook/notebooks';
import { predictCommand } from './commands/predict';
import { reportCommand } from './commands/report';
import { reproduceCommand } from './commands/reproduce';
import { runsCommand } from './commands/runs';
import { sweepCommand } from './commands/sweep';
import { trainCommand } from './commands/train';
import { weightsCommand } from './commands/weights';
import { kitVersion } from '../base/home';
import { examples } from './examples';
import { fail } from './fail';

const program = new Command('rifle')
  .description('Fine-tune pretrained CNNs in TypeScript, and reproduce RIFLE (ICML 2020).')
  .version(kitVersion())
  .showHelpAfterError('(add --help for the options)')
  .showSuggestionAfterError()
  .addHelpText(
    'after',
    examples('rifle doctor', 'rifle train --method rifle --epochs 10 --seed 1', 'rifle reproduce --scale mini'),
  );

for (const command of [
  setupCommand,
  doctorCommand,
  dataCommand,
  weightsCommand,
  methodsCommand,
  trainCommand,
  predictCommand,
  sweepCommand,
  runsCommand,
  reproduceCommand,
  reportCommand,
  notebooksCommand,
  labCommand,
  kernelCommand,
  newCommand,
]) {
  program.addCommand(command());
}

/** Commands that need no methods, and start sooner without them. */
const WITHOUT_METHODS = ['setup', 'doctor', 'data', 'weights', 'lab', 'kernel', 'new'];

// All others know the methods of the studies that come with the kit.
program.hook('preAction', async (_, action) => {
  let command = action;
  while (command.parent && command.parent !== program) command = command.parent;
  if (!WITHOUT_METHODS.includes(command.name())) await import('../studies/built-in.js');
});

/** Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C. */
const overrideExit = (command: Command): void => {
  command.exitOverride();
  command.commands.forEach(overrideExit);
};
overrideExit(program);

// A reader that has enough (`| head`) closes the pipe: not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError)
    process.exitCode = error.exitCode === 0 ? 0 : 2; // commander has printed it
  else fail(error);
});
