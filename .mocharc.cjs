// What every mocha run here shares. The files to run stand in package.json, so that `npx mocha FILE` runs that file only.
module.exports = {
  require: ['dist/src/studies/rifle/methods.js', './test/hooks.cjs'], // the methods that tests train; what they define
  reporter: 'test/reporter.cjs',
  timeout: 60_000, // milliseconds: against a test that hangs, not a measure of speed
  exit: true, // a worker that a failing test left behind must not hang the run
};
