// `rifle runs list|table|show|diff|verify|prune|export|import`: the runs of a store. One file for each command.
import { Command } from 'commander';
import { diffCommand } from './diff';
import { exportCommand } from './export';
import { importCommand } from './import';
import { listCommand } from './list';
import { pruneCommand } from './prune';
import { showCommand } from './show';
import { tableCommand } from './table';
import { verifyCommand } from './verify';

/** The command. */
export function runsCommand(): Command {
  const makers = [
    listCommand,
    tableCommand,
    showCommand,
    diffCommand,
    verifyCommand,
    pruneCommand,
    exportCommand,
    importCommand,
  ];
  return makers.reduce(
    (command, make) => command.addCommand(make()),
    new Command('runs').description('list, tabulate, show, compare, verify, delete, export and import runs'),
  );
}
