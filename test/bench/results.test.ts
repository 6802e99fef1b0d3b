// Results that are kept, and the tables made of them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readResults, save, type ResultFile } from '../../bench/results';
import { resultsText, withResults } from '../../bench/show';
import type { TrainStepResult } from '../../bench/train-step';

const result = (over: Partial<TrainStepResult> = {}): TrainStepResult => ({
  ...{
    network: 'resnet50',
    imageSize: 224,
    batchSize: 8,
    precision: 'float32',
    rounds: 3,
    steps: 2,
    flopsPerImage: 24e9,
    matrixRate: 200e9,
    quiet: true,
  },
  versions: { torch: '2.15.0', node: 'v20.20.0' },
  contenders: {
    ours: {
      imagesPerSecond: { median: 4, quartiles: [3.9, 4.1] },
      peakMb: 1500,
      steadyPeakMb: 1400,
      gpuMb: null,
      loss: 2,
    },
    'pytorch-channels-last': {
      imagesPerSecond: { median: 2, quartiles: [1.9, 2.1] },
      ratio: { median: 2, quartiles: [1.95, 2.05] },
      peakMb: 2000,
      steadyPeakMb: 1900,
      gpuMb: null,
      loss: 2,
    },
    keras: { absent: 'Python TensorFlow is not installed' },
  },
  ...over,
});
const file = (measured: TrainStepResult[]): ResultFile => ({
  date: '2026-01-02',
  machine: { cpu: 'A CPU', cores: 2, memoryGb: 8, platform: 'linux x64 6.1', gpu: null },
  benchmarks: { 'train-step': measured },
});

describe('the results of the benchmarks', () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-bench-results-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it('become a table with rates, ratios and what was left out', () => {
    const text = resultsText(file([result()]));
    // 4 images/s of 24 GFLOP are 96 of 200 GFLOP/s; 1500 of 2000 MB.
    assert.match(
      text,
      /^\| ResNet-50, 224 px, batch 8 \| 4\.0 \| 48 % \| 2\.00 \[1\.95, 2\.05\] \| – \| 1500 \| 0\.75 \|$/m,
    );
    assert.match(
      text,
      /^\|  \| images\/s \| of the matrix rate \| to PyTorch, channels last \| to Keras, tf\.function \|/m,
    );
    assert.match(text, /With node 20\.20\.0, torch 2\.15\.0\./);
  });

  it('show nothing that was measured beside other work, and say how much that is', () => {
    const text = resultsText(file([result(), result({ network: 'mobilenet_v2', quiet: false })]));
    assert.ok(!text.includes('MobileNetV2'));
    assert.match(text, /1 of 2 left out/);
  });

  it('take the place of earlier ones of the same case and day, and keep the others', async () => {
    const key = ({ network, batchSize }: TrainStepResult) => `${network} ${batchSize}`;
    await save('train-step', [result(), result({ batchSize: 32 })], key, folder);
    const kept = await save('train-step', [result({ rounds: 9 })], key, folder);
    assert.deepEqual(fs.readdirSync(folder), [path.basename(kept)]);
    const { machine, benchmarks } = readResults(kept);
    assert.deepEqual(
      (benchmarks['train-step'] as TrainStepResult[]).map(({ batchSize, rounds }) => [batchSize, rounds]),
      [
        [32, 3],
        [8, 9],
      ],
    );
    assert.ok(!JSON.stringify(machine).includes(os.hostname()));
  });

  it('are refused when a file holds something else', () => {
    fs.writeFileSync(path.join(folder, 'x.json'), '{"date": 3}');
    assert.throws(() => readResults(path.join(folder, 'x.json')), /x\.json is not a file of results/);
  });

  it('stand between their marks in the document, again and again', () => {
    const [begin, end] = ['<!-- results: npm run bench -- show --write -->', '<!-- end of results -->'];
    const once = withResults(`before\n${begin}\nold\n${end}\nafter\n`, 'NEW');
    assert.equal(once, `before\n${begin}\n\nNEW\n\n${end}\nafter\n`);
    assert.equal(withResults(once, 'NEW'), once);
    assert.throws(() => withResults('nothing', 'NEW'), /lacks the line/);
  });
});
