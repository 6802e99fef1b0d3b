// The common part of commands over a store of runs: their flags, the store, and the choice between text and JSON.
import { Command } from 'commander';
import type { RunStore } from '../runs/store/store';
import { examples as examplesText } from './examples';
import { printJson } from './print';

/** Flags of every command over a store. */
export interface StoreFlags {
  runs?: string;
  json?: boolean;
}

/** What a command answers: a document for --json, and what it prints for people. */
export interface Answer {
  json: unknown;
  print: () => void;
}

/** How a command over a store is made. */
export interface StoreCommand<Flags extends StoreFlags> {
  name: string;
  description: string;
  /** Command lines of the help, without `npx`. */
  examples: readonly string[];
  /** Adds arguments and flags of its own. */
  define?: (command: Command) => Command;
  /**
   * Does the work; null when it has printed its answer itself. `words` are the arguments of the command line: a word
   * each, or a list for `[ids...]`.
   */
  run: (store: RunStore, flags: Flags, ...words: never[]) => Promise<Answer | null>;
}

/** A command with --runs and --json, whose answer is printed in the form that was asked for. */
export function storeCommand<Flags extends StoreFlags>(options: StoreCommand<Flags>): Command {
  const { name, description, examples, define = (command) => command, run } = options;
  return define(new Command(name))
    .description(description)
    .option('--runs <dir>', "where runs are kept (default: the kit's own folder)")
    .option('--json', 'print JSON')
    .addHelpText('after', examplesText(...examples))
    .action(async (...args: unknown[]) => {
      const [flags] = args.splice(-2) as [Flags, Command]; // commander gives the arguments, the flags, the command
      const { RunStore: Store } = await import('../runs/store/store.js');
      const answer = await run(new Store(flags.runs), flags, ...(args as never[]));
      if (answer === null) return;
      if (flags.json) printJson(answer.json);
      else answer.print();
    });
}
