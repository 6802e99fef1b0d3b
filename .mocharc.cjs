// What every mocha run here shares. The files to run stand in package.json, so that `npx mocha FILE` runs that file only.
module.exports = {
  reporter: 'test/reporter.cjs',
  timeout: 10_000, // milliseconds; a test that trains sets its own
  exit: true, // a worker that a failing test left behind must not hang the run
};
