// The benchmark `train-step` on a small image: real contenders in processes of their own, and peers that are not there.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Contender } from '../../bench/contender';
import type { ContenderResult, TrainStepResult } from '../../bench/train-step';

const main = path.join(__dirname, '..', '..', 'bench', 'main.js');

describe('the benchmark train-step', function () {
  this.timeout(120_000);

  it('measures who is there, and leaves out with its reason who is not', async () => {
    const home = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-bench-home-'));
    try {
      const args = [
        'train-step',
        '--network',
        'mobilenet_v2',
        '--batch',
        '4',
        '--image-size',
        '64',
        '--rounds',
        '2',
        '--steps',
        '1',
        '--contenders',
        'ours',
        'pytorch',
        'tfjs',
        '--json',
      ];
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, ...args], {
        env: { ...process.env, RIFLE_HOME: home, RIFLE_BENCH_PYTHON: '' },
      });
      const [{ contenders, batchSize, versions }] = JSON.parse(stdout) as TrainStepResult[];
      assert.equal(batchSize, 4);
      assert.deepEqual(contenders.pytorch, { absent: 'PyTorch is not installed' });
      assert.match(stderr, /left out: PyTorch is not installed \(npm run bench -- peers pytorch/);
      const [ours, stock] = [contenders.ours, contenders.tfjs] as ContenderResult[];
      for (const { loss, imagesPerSecond } of [ours, stock])
        assert.ok(Number.isFinite(loss) && loss >= 0 && imagesPerSecond.median > 0);
      assert.ok(stock.ratio!.quartiles[0] <= stock.ratio!.median && stock.ratio!.median <= stock.ratio!.quartiles[1]);
      if (process.platform === 'linux') assert.ok(ours.peakMb >= ours.steadyPeakMb && ours.steadyPeakMb > 50);
      assert.equal(versions.node, process.version);
    } finally {
      fs.rmSync(home, { recursive: true });
    }
  });

  it('names a contender that does not exist', async () => {
    await assert.rejects(
      promisify(execFile)(process.execPath, [main, 'train-step', '--contenders', 'ours', 'pytorhc']),
      (error: { code: number; stderr: string }) => {
        assert.equal(error.code, 1);
        assert.match(error.stderr, /no contender named "pytorhc"[^]*Did you mean "pytorch"/);
        return true;
      },
    );
  });

  it('says how a contender ended that fails, and does not wait for it', async () => {
    const start = (code: string) => Contender.start({ command: process.execPath, args: ['-e', code] });
    await assert.rejects(
      start("console.error('no such thing'); process.exit(3)"),
      /it ended \(exit code 3\): no such thing/,
    );
    await assert.rejects(
      start("console.log('a library talks'); console.log(JSON.stringify({ absent: 'no card' }))"),
      /^KitError: no card$/,
    );
    await assert.rejects(Contender.start({ command: '/nowhere/python', args: [] }), /could not be started/);
    const dies = await start(
      "console.log(JSON.stringify({ versions: {} })); process.stdin.once('data', () => process.kill(process.pid, 'SIGKILL'))",
    );
    await assert.rejects(dies.take(1), /it ended \(SIGKILL\)/);
    dies.stop();
  });
});
