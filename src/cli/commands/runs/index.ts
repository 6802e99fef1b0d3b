// `rifle runs list|table|show|diff|verify|prune|export`: the runs of a store. One file for each command.
import { Command } from 'commander';
import { diffCommand } from './diff';
import { exportCommand } from './export';
import { listCommand } from './list';
import { pruneCommand } from './prune';
import { showCommand } from './show';
import { tableCommand } from './table';
import { verifyCommand } from './verify';

/** The command. */
export function runsCommand(): Command {
  return [listCommand, tableCommand, showCommand, diffCommand, verifyCommand, pruneCommand, exportCommand].reduce(
    (command, make) => command.addCommand(make()),
    new Command('runs').description('list, tabulate, show, compare, verify, delete and export runs'),
  );
}
