// Texts that stock tslab 1.0.22 printed for failing cells (recorded on Node 20), and the place and reason read from them.
import assert from 'node:assert/strict';
import { explainFailure } from '../../src/notebook/failure';

const KERNEL = `    at sigintHandlersWrap (node:vm:280:12)
    at Script.runInThisContext (node:vm:135:14)
    at Object.execute (/home/a/node_modules/tslab/dist/executor.js:160:38)
    at async ZmqServer.handleExecute (/home/a/node_modules/tslab/dist/jupyter.js:406:25)`;

describe('explainFailure', () => {
  it('reads what the compiler refuses', () => {
    const found = explainFailure('\n\nconst a: number = "s"; b.foo', "3:7 - Type 'string' is not assignable to type 'number'.\n3:26 - Cannot find name 'b'.\n");
    assert.deepEqual(found, { name: 'TypeScript', message: "Type 'string' is not assignable to type 'number'.\nCannot find name 'b'.", line: 3, traceback: '' });
  });

  it('maps an error after an await back to its line', () => {
    const source = 'import { Stats, readFileSync } from "node:fs";\nconst s: Stats | null = null;\nawait null;\nconst t = opt;\nthrow new RangeError("just text")\n';
    const found = explainFailure(source, 'RangeError: just text\n    at evalmachine.<anonymous>:11:7\n');
    assert.deepEqual([found.name, found.message, found.line], ['RangeError', 'just text', 5]);
  });

  it('takes the call in the cell, not the function of an earlier cell that threw', () => {
    const source = 'import * as fs from "node:fs";\n\ninterface A {\n  a: number\n}\nconst q = f(1);\nconst z =\n  f(5);\nfs';
    const stderr = `evalmachine.<anonymous>:8
        throw new TypeError("too\\nbig");
        ^

TypeError: too
big
    at Proxy.f (evalmachine.<anonymous>:8:15)
    at evalmachine.<anonymous>:30:19
    at evalmachine.<anonymous>:34:3
${KERNEL}
`;
    const found = explainFailure(source, stderr);
    assert.deepEqual([found.name, found.message, found.line], ['TypeError', 'too\nbig', 8]);
    assert.doesNotMatch(found.traceback, /tslab/);
  });

  it('says what to do when the error does, and is not misled by what comes before and after', () => {
    const source = 'Promise.reject(new Error("late"));\nclass KitError extends Error { fix = "do it"; constructor(m: string) { super(m); this.name = "KitError" } }\nthrow new KitError("Expected a thing,\\nfound none: bad");';
    const stderr = `a warning: mind the gap
evalmachine.<anonymous>:9
throw new KitError("Expected a thing,\\nfound none: bad");
^

KitError: Expected a thing,
found none: bad
    at evalmachine.<anonymous>:9:7
    at evalmachine.<anonymous>:11:3
${KERNEL} {
  fix: 'do it',
  [cause]: Error: no such file
      at evalmachine.<anonymous>:8:3 {
    code: 'ENOENT'
  }
}
UnhandledPromiseRejection: Error: late
    at evalmachine.<anonymous>:3:16
    at evalmachine.<anonymous>:11:3
${KERNEL}
`;
    const found = explainFailure(source, stderr);
    assert.deepEqual([found.name, found.message, found.line], ['KitError', 'Expected a thing,\nfound none: bad\ndo it\nCause: Error: no such file', 3]);
  });

  it('makes do with a thrown text, and with nothing', () => {
    assert.deepEqual(explainFailure('throw "just text"', 'just text\n'), { name: 'Error', message: 'just text', line: null, traceback: '' });
    assert.equal(explainFailure('1', '').message, 'The cell failed and printed no reason.');
  });
});
