import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { boundedBody } from '../../src/base/bounded-body';
import type { KitError } from '../../src/base/errors';

describe('the body of an answer', () => {
  it('comes whole within its bound', async () => {
    assert.equal(
      await boundedBody(Readable.from([Buffer.from('añ').subarray(0, 2), Buffer.from('ñ').subarray(1)]), 3),
      'añ',
    );
  });

  it('without an end is refused, or its end is kept, and is not read on', async () => {
    let sent = 0;
    const endless = (): Readable =>
      Readable.from(
        (function* () {
          for (;;) yield Buffer.alloc(1000, String(sent++ % 10));
        })(),
      );
    await assert.rejects(boundedBody(endless(), 5000), ({ code }: KitError) => code === 'ANSWER_TOO_LONG');
    assert.ok(sent < 50, String(sent));
    sent = 0;
    assert.equal((await boundedBody(endless(), 5000, { keep: 'end' })).length, 5000);
    assert.ok(sent < 200, String(sent));
  });
});
