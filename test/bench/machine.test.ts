// Whether a machine is quiet, from texts of /proc as Linux writes them, and from a process that really works.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { gpuMbOf } from '../../bench/contender';
import { busySeconds, isQuiet, machineSlug, watchOthers, workSeconds } from '../../bench/machine';

describe('the quiet check of the benchmarks', () => {
  it("adds up what all cores did, a hypervisor's share included, idle and waiting not", () => {
    // user nice system idle iowait irq softirq steal guest guest_nice
    const stat = 'cpu  1000 200 300 90000 5000 10 20 70 999 999\ncpu0 1000 200 300 90000 5000 10 20 70 0 0\nintr 1\n';
    assert.equal(busySeconds(stat), 16);
  });

  it("reads a process's work past a name with spaces and brackets", () => {
    // Fields 14 to 17: utime, stime, cutime, cstime.
    assert.equal(workSeconds('4242 (a (b) c) S 1 4242 4242 0 -1 4194560 999 0 0 0 250 50 100 200 20 0 11 0 12345'), 6);
  });

  it('calls a machine quiet only when that is known', () => {
    assert.deepEqual([0, 0.09, 0.11, 2, null].map(isQuiet), [true, true, false, false, false]);
  });

  it('names a result after processor, cores and GPU', () => {
    const machine = { cores: 16, memoryGb: 128, platform: 'linux x64 6.1' };
    assert.equal(
      machineSlug({ ...machine, cpu: 'Intel(R) Xeon(R) Platinum 8480+', gpu: 'NVIDIA H100 80GB HBM3' }),
      'intel-xeon-platinum-8480-16-cores-nvidia-h100-80gb-hbm3',
    );
    assert.equal(machineSlug({ ...machine, cpu: 'AMD EPYC', gpu: null }), 'amd-epyc-16-cores');
  });

  it("finds a process's memory on a GPU in the list of nvidia-smi", () => {
    assert.equal(gpuMbOf(4242, '17, 300\n4242, 1536\n'), 1536);
    assert.equal(gpuMbOf(4242, ''), null);
  });

  it('leaves out the work of the processes that it is told of', async function () {
    if (process.platform !== 'linux') this.skip();
    const worker = spawn(process.execPath, ['-e', 'for (;;) ;']);
    try {
      const [all, others] = [watchOthers(), watchOthers([worker.pid!])];
      // Until the system has let it work for some hundredths of a second; the test's own limit of time ends it
      // otherwise.
      for (let difference = 0; difference <= 0; difference = all()! - others()!)
        await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      worker.kill('SIGKILL');
    }
  });
});
