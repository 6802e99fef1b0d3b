// The reporter of `npm test`: mocha's spec, then one last line that a program can read, "123 passed, 0 failed, 4 skipped".
const { reporters, Runner } = require('mocha');

/** The last line of a test run. */
const closing = ({ passes = 0, failures = 0, pending = 0 }) =>
  `${passes} passed, ${failures} failed, ${pending} skipped`;

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options); // it registers its own epilogue first, so that ours comes after it
    runner.once(Runner.constants.EVENT_RUN_END, () => console.log(closing(this.stats)));
  }
};
module.exports.closing = closing;
