// What every mocha run here shares. The files to run stand in package.json, so that `npx mocha FILE` runs that file only.
module.exports = {
  require: ['dist/src/studies/rifle/methods.js'], // the methods that tests train
  reporter: 'test/reporter.cjs',
  timeout: 10_000, // milliseconds; a test that trains sets its own
  exit: true, // a worker that a failing test left behind must not hang the run
};
