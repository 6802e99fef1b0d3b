// Step: links `rifle-kit` for imports in notebooks and the command `rifle` for npx to this folder.
import fs from 'node:fs';
import path from 'node:path';
import { linkTarget, linkTo } from '../system/stamp.mjs';

/** Links in node_modules and their targets. npm makes no links to the package in whose folder it runs. */
const LINKS = {
  'rifle-kit': '..',
  '.bin/rifle': '../../dist/src/cli/main.js',
  // tslab depends on an older TypeScript with a command of the same name, and npm links the last one.
  '.bin/tsc': '../typescript/bin/tsc',
};

const executable = (file) => !fs.existsSync(file) || (fs.statSync(file).mode & 0o111) === 0o111;

export default {
  name: 'link',
  title: 'links',
  what: 'links node_modules/rifle-kit and the command rifle to this folder',
  seconds: 0.1,

  done({ paths }) {
    const linked = Object.entries(LINKS).every(
      ([link, target]) => linkTarget(path.join(paths.modules, link)) === target,
    );
    return linked && executable(paths.commandLine) ? 'rifle-kit and npx rifle link to this folder' : null;
  },

  async run({ paths }) {
    for (const [link, target] of Object.entries(LINKS)) linkTo(path.join(paths.modules, link), target);
    if (!executable(paths.commandLine)) fs.chmodSync(paths.commandLine, 0o755);
    return 'rifle-kit and npx rifle link to this folder';
  },
};
