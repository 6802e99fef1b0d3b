#!/usr/bin/env node
// Sets this machine up:  node setup/main.mjs [--only STEP,...] [--force] [--check] [--json] [--help]
// It needs only Node, so that `npm start` and `npm test` work right after `git clone`.
const NODE = [20, 19]; // as in package.json and pins.json, which an older Node need not be able to read

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < NODE[0] || (major === NODE[0] && minor < NODE[1])) {
  console.error(
    `rifle-kit needs Node ${NODE.join('.')} or newer; this is Node ${process.versions.node}.\nTo fix it: install a current Node, then run the command again.`,
  );
  process.exit(1);
}
// Imported here, because the other files use what older versions of Node lack.
const { main } = await import('./command-line.mjs');
process.exitCode = await main(process.argv.slice(2));
