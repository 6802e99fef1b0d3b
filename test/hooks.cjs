// Mocha's hooks for all tests. With `--parallel` one process runs many test files, one after another.
// What a file defines must not reach the next; modules that tests share are loaded once, and keep theirs.
const path = require('node:path');
const { forgetDefinitions, guests } = require('../dist/src/base/definitions/registry.js');

const tests = path.resolve(__dirname, '../dist/test') + path.sep;
const isShared = ({ file }) => file?.startsWith(tests) && !file.endsWith('.test.js');

module.exports.mochaHooks = {
  afterAll() {
    for (const { name, origin } of guests()) if (!isShared(origin)) forgetDefinitions(name);
  },
};
