// The reporter of `npm test`: mocha's spec, then the slowest files, then one last line that a program can read,
// "123 passed, 0 failed, 4 skipped".
const path = require('node:path');
const { reporters, Runner } = require('mocha');

/** Test files whose time is shown at the end. */
const SLOWEST = 20;

/** The last line of a test run. */
const closing = ({ passes = 0, failures = 0, pending = 0 }) =>
  `${passes} passed, ${failures} failed, ${pending} skipped`;

/** `["  12 s  test/a.test.js", ...]`, the slowest first; files under a second are left out. */
const slowest = (times) =>
  [...times]
    .filter(([, time]) => time >= 1000)
    .sort((a, b) => b[1] - a[1])
    .slice(0, SLOWEST)
    .map(([file, time]) => `${(time / 1000).toFixed(0).padStart(5)} s  ${path.relative(process.cwd(), file)}`);

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options); // it registers its own epilogue first, so that ours comes after it
    const times = new Map();
    const add = ({ file, parent, duration }) => {
      const source = file ?? parent?.file;
      if (source && duration) times.set(source, (times.get(source) ?? 0) + duration);
    };
    const { EVENT_HOOK_END, EVENT_RUN_END, EVENT_TEST_END } = Runner.constants;
    runner.on(EVENT_TEST_END, add).on(EVENT_HOOK_END, add);
    runner.once(EVENT_RUN_END, () => {
      const lines = slowest(times);
      if (lines.length > 0) console.log(['Slowest files:', ...lines, ''].join('\n'));
      console.log(closing(this.stats));
    });
  }
};
module.exports.closing = closing;
module.exports.slowest = slowest;
