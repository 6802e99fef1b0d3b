// What reaches the terminal: no control characters from outside, no line wider than it, no secrets.
import assert from 'node:assert/strict';
import { withoutColours } from './colours';
import { KitError } from '../../src/base/errors';
import { failureText } from '../../src/cli/fail';
import { listText, visibleText } from '../../src/cli/print';
import { visibleProgress } from '../../src/cli/progress';
import { runLine } from '../../src/cli/sweep-display';
import type { PoolRun } from '../../src/runs/pool/pool';
import { parseRunSpec } from '../../src/transfer/spec/spec';

const HOSTILE = 'a\u001b]0;title\u0007b\u001b[2Jc\u009bd\u202ee\r\n';
const ACTIVE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

describe('what commands print', () => {
  it('shows control characters instead of sending them', () => {
    const shown = [
      visibleText(HOSTILE),
      failureText(new KitError(HOSTILE, { code: 'X', fix: HOSTILE })),
      failureText(new Error(HOSTILE)),
      ...listText([HOSTILE], [[HOSTILE]], { width: 80 }),
      JSON.stringify(visibleProgress({ task: HOSTILE, done: 1, total: 2, unit: 'x', detail: HOSTILE })),
      runLine({
        index: 0,
        spec: parseRunSpec({ dataset: HOSTILE, backbone: HOSTILE }),
        title: HOSTILE,
        state: 'failed',
        worker: null,
        device: null,
        epochsDone: 0,
        epochs: 1,
        progress: null,
        top1: null,
        cause: HOSTILE,
      } satisfies PoolRun),
    ];
    for (const text of shown) assert.doesNotMatch(withoutColours(text), ACTIVE);
  });

  it('lays out a name of 200,000 escape sequences in less than a second', () => {
    const began = performance.now();
    listText(['a', 'b'], [['\u001b['.repeat(100_000), '\u001b[31m'.repeat(40_000)]], { width: 80 });
    assert.ok(performance.now() - began < 1000);
  });

  it('fits lists to the width: optional columns go first, then cells wrap', () => {
    const head = ['run', 'method', 'backbone', 'device'];
    const rows = [['0123456789abcdef', 'rifle and a long name of it', 'efficientnet_lite0.tf_in1k', 'cpu']];
    const fits = (width: number): string[] => {
      const lines = listText(head, rows, { width, optional: ['device', 'backbone'] }).map(withoutColours);
      const table = lines.filter((line) => !line.startsWith('(not shown'));
      for (const line of table) assert.ok(line.length <= width, `${width}: ${line}`);
      return lines;
    };
    assert.deepEqual(fits(100), [
      'run               method                       backbone                    device',
      '0123456789abcdef  rifle and a long name of it  efficientnet_lite0.tf_in1k  cpu',
    ]);
    assert.match(fits(60).join('\n'), /not shown, for want of width: device, backbone/);
    const narrow = fits(30).slice(1, -1);
    assert.deepEqual(
      narrow.map((line) => line.slice(0, 14).trim()).join(''),
      '0123456789abcdef',
      'nothing is lost where cells wrap',
    );
  });

  it('names a refusal of the system without a stack, and how to fix it', () => {
    for (const code of [
      'ENOSPC',
      'EROFS',
      'EMFILE',
      'ENAMETOOLONG',
      'EIO',
      'ELOOP',
      'ENOTDIR',
      'ENOENT',
      'ECONNREFUSED',
    ]) {
      const text = withoutColours(failureText(Object.assign(new Error(`${code}: refused, open '/x'`), { code })));
      assert.match(text, /^error: .*\n {2}→ .+\n$/);
    }
    assert.match(withoutColours(failureText(new TypeError('x'))), /^unexpected error: TypeError: x\n\s+at /);
  });

  it('leaves user, password and query of addresses out', () => {
    const text = failureText(new KitError('No answer from http://a:SECRET@host:1/p?k=SECRET.', { code: 'X' }));
    assert.ok(text.includes('http://host:1/p') && !text.includes('SECRET'), text);
  });
});
