// Failures of cells by odd errors: the user's error is shown, whatever its getters do.
import assert from 'node:assert/strict';
import { failureOf, refusal } from '../../../src/notebook/kernel/failure';

const cell = { number: 3, source: 'first\nsecond\nthird' };
const throwing = (value: unknown): never => {
  throw value;
};

describe('failureOf', () => {
  it('takes errors whose fields are missing, no text, or throw', () => {
    assert.equal(
      failureOf(Object.assign(new Error('x'), { message: undefined, code: 'E_X' }), cell).ename,
      'Error [E_X]',
    );
    assert.equal(failureOf(Object.assign(new Error('x'), { message: { a: 1 } }), cell).evalue, '{ a: 1 }');
    for (const name of ['message', 'name', 'stack', 'cause', 'code', 'fix']) {
      const error = Object.defineProperty(new RangeError('y'), name, { get: () => throwing(1) });
      assert.equal(typeof failureOf(error, cell).evalue, 'string', name);
    }
    assert.match(failureOf(new AggregateError([new Error('one'), 'two']), cell).evalue, /- Error: one\n- 'two'/);
  });

  it('takes what is no error: proxies, objects without a prototype, values that cannot be printed', () => {
    const handler = { get: () => throwing(1), getPrototypeOf: () => throwing(2), has: () => throwing(3) };
    assert.equal(failureOf(new Proxy({}, handler), cell).ename, 'Thrown object');
    assert.equal(failureOf(Object.create(null), cell).evalue, '[Object: null prototype] {}');
    const inspect = Symbol.for('nodejs.util.inspect.custom');
    assert.equal(
      typeof failureOf({ [inspect]: () => throwing(1), toString: () => throwing(2) }, cell).evalue,
      'string',
    );
    assert.deepEqual(
      [failureOf(null, cell).ename, failureOf(undefined, cell).ename],
      ['Thrown null', 'Thrown undefined'],
    );
  });

  it('shows the line that it is given when the error names none', () => {
    const { line, traceback } = failureOf(new Error('z'), cell, 2);
    assert.equal(line, 2);
    assert.ok(traceback.includes('> 2 | second'), traceback.join('\n'));
  });
});

describe('refusal', () => {
  it('names the line of the cell, or the file', () => {
    const at = (line: number) => ({ offset: 0, line, character: 0 });
    const own = refusal([{ start: at(1), end: at(1), messageText: 'Wrong.', code: 2322 }], cell);
    assert.deepEqual([own.line, own.evalue], [2, 'TS2322: Wrong.']);
    const other = refusal([{ start: at(4), end: at(4), messageText: 'Wrong.', code: 1, fileName: 'a.ts' }], cell);
    assert.deepEqual([other.line, other.traceback.at(-1)], [null, '  in a.ts, line 5']);
  });
});
