// The short form of `npm run bench -- kernel`: kernels come and go without a trace, and a session's memory stays level.
import assert from 'node:assert/strict';
import { kernelEndurance } from '../../bench/kernel';

describe('kernels over time', function () {
  this.timeout(240_000);

  it('leave no process behind, and keep their memory level', async () => {
    const { orphans, heldMb, firstResultSeconds } = await kernelEndurance({ restarts: 2, cells: 120, imports: 0 });
    assert.deepEqual([orphans, firstResultSeconds.length], [[], 3]);
    // 80 tensors of 262 KB would be 21 MB; a compiler's program that is not let go is several MB a cell.
    assert.ok(heldMb[9] - heldMb[3] < 15, `MB after each tenth of the cells: ${heldMb.join(', ')}`);
  });
});
