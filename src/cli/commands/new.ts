// `rifle new`: a study of one's own in a new folder.
import path from 'node:path';
import { Command } from 'commander';
import pc from 'picocolors';
import { examples } from '../examples';
import { printJson, printLine } from '../print';

/** The command. */
export function newCommand(): Command {
  return new Command('new')
    .description('make a study of your own: extensions, a study, a notebook, their tests, the kit as a package')
    .argument('<dir>', 'a new folder')
    .option('--json', 'print {"folder", "files"} as JSON')
    .addHelpText('after', examples('rifle new ~/my-study && cd ~/my-study && npm install && npm test'))
    .action(async (dir: string, { json }: { json?: boolean }) => {
      const { newStudy } = await import('../../notebook/study.js');
      const files = await newStudy(dir);
      if (json) return printJson({ folder: path.resolve(dir), files });
      for (const file of files) printLine(`  ${file}`);
      printLine(
        `\nNow:\n  ${pc.cyan(`cd ${dir} && npm install && npm test`)}\nThe notebook is notebooks/study.ipynb; ` +
          `\`npm start\` opens it.`,
      );
    });
}
