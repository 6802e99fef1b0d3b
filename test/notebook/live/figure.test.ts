// The live figure without a training: what it shows after each epoch, and that its end depends on the runs alone.
import assert from 'node:assert/strict';
import type { MimeBundle } from '../../../src/notebook/runner/format';
import { liveFigure } from '../../../src/notebook/live/figure';
import type { LiveRow } from '../../../src/report/figures/live-curves';
import { parseRunSpec } from '../../../src/transfer/spec/spec';
import { methods } from '../../../src/transfer/methods';
import type { RunRecord } from '../../../src/runs/store/record';

const row = (epoch: number, headReset = false): LiveRow => ({
  epoch,
  trainCrossEntropy: 1 / epoch,
  top1: epoch === 2 ? NaN : 0.5 + epoch / 10,
  headReset,
});

describe('liveFigure', () => {
  const shown: { bundle: MimeBundle; update: boolean }[] = [];
  let time = 0;
  const make = (): ReturnType<typeof liveFigure> =>
    liveFigure({
      publish: (bundle, display) => void shown.push({ bundle, update: display!.update }),
      now: () => time,
    });
  const spec = parseRunSpec(methods.apply('rifle', { dataset: 'elpv', backbone: 'resnet18', epochs: 4, seed: 1 }));
  const record = { method: 'rifle', spec, epochs: [row(1, true), row(2), row(3), row(4)] } as unknown as RunRecord;

  it('is one output, updated at most twice a second, with a mark at each reset', () => {
    const live = make();
    live.onEpoch(row(1, true), spec);
    live.onEpoch(row(2), spec);
    time += 1000;
    live.onEpoch(row(3), spec);
    assert.deepEqual(
      shown.map(({ update }) => update),
      [false, true],
    );
    const { data, layout } = shown[1].bundle['application/vnd.plotly.v1+json'] as {
      data: { x?: number[]; y?: number[] }[];
      layout: { shapes: { x0?: number; x1?: number; line?: { dash?: string } }[] };
    };
    const lines = data.filter(({ y }) => (y?.length ?? 0) > 1).map(({ x, y }) => [x, y]);
    assert.deepEqual(lines, [
      [
        [1, 2, 3],
        [1, 1 / 2, 1 / 3],
      ],
      [
        [1, 3],
        [60, 80],
      ],
    ]);
    assert.equal(layout.shapes.filter(({ x0 }) => x0 === 1.5).length, 2, 'one in each panel');
    assert.match(String(shown[1].bundle['text/plain']), /rifle seed 1: epoch 3\/4, loss 0\.333, top-1 80\.0 %/);
  });

  it('ends the same for a run that was watched and for one that is reused, with an SVG', async () => {
    const [watched, reused] = [make(), make()];
    watched.onEpoch(row(1, true), spec);
    watched.onEpoch(row(1, true), spec);
    await watched.onRecord(record);
    const first = shown.at(-1)!.bundle;
    await reused.onRecord(record);
    assert.deepEqual(shown.at(-1)!.bundle, first);
    assert.match(String(first['image/svg+xml']), /^<svg /);
  });
});
