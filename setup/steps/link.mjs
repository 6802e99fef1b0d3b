// Step: the names under which the kit is found here: `import ... from 'rifle-kit'` in notebooks, and `npx rifle`.
import fs from 'node:fs';
import path from 'node:path';
import { linkTarget, linkTo } from '../stamp.mjs';

/** Links below node_modules, and what they say. npm makes none of them for the package that it runs in. */
const LINKS = {
  'rifle-kit': '..',
  '.bin/rifle': '../../dist/src/cli/main.js',
  // tslab brings an older TypeScript under the same name, and npm links whichever comes last.
  '.bin/tsc': '../typescript/bin/tsc',
};

const executable = (file) => !fs.existsSync(file) || (fs.statSync(file).mode & 0o111) === 0o111;

export default {
  name: 'link',
  title: 'names',
  what: 'links node_modules/rifle-kit and the command rifle to this folder',
  seconds: 0.1,

  done({ places }) {
    const linked = Object.entries(LINKS).every(
      ([link, target]) => linkTarget(path.join(places.modules, link)) === target,
    );
    return linked && executable(places.commandLine) ? 'rifle-kit and npx rifle are this folder' : null;
  },

  async run({ places }) {
    for (const [link, target] of Object.entries(LINKS)) linkTo(path.join(places.modules, link), target);
    if (!executable(places.commandLine)) fs.chmodSync(places.commandLine, 0o755);
    return "import 'rifle-kit' and npx rifle find this folder";
  },
};
