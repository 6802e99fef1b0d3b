import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { internals } from '../../../src/engine/binding';
import { Session } from '../../../src/engine/graph/program';
import { tf } from '../../../src/engine/tensorflow';
import { backbones, type Backbone } from '../../../src/backbones/backbone';
import { readGraphDef } from '../../../src/backbones/weights/readers/tensorflow/graphdef';
import { weightsManifest, weightsPath } from '../../../src/backbones/weights/store';
import { decode } from '../../../src/data/pixels/decode';
import { fixture } from '../golden-resnet';
import { assertNoLeak } from '../leaks';
import { unlessOffline } from '../unless-offline';

const id = 'mobilenet_v1.tf_in1k';

/** A field of a protocol buffer that holds bytes. */
function field(number: number, bytes: Buffer): Buffer {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([number * 8 + 2, ...length, rest]), bytes]);
}

/**
 * The published graph itself, run by TensorFlow: the SavedModel around it (saved_model.proto, meta_graph.proto) is all
 * that the kit adds.
 */
function publishedGraph(file: string): Session {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-graph-'));
  const graph = field(2, Buffer.concat([field(1, field(4, Buffer.from('serve'))), field(2, fs.readFileSync(file))]));
  fs.writeFileSync(path.join(folder, 'saved_model.pb'), Buffer.concat([Buffer.from([0x08, 0x01]), graph]));
  const session = new Session(internals().binding.loadSavedModel(folder, 'serve'));
  fs.rmSync(folder, { recursive: true });
  return session;
}

describe('MobileNetV1 with its ImageNet weights', function () {
  this.timeout(120_000);
  let network: Backbone;
  let file: string;

  before(async function () {
    await unlessOffline(this, () => backbones.fetch(id));
    network = await backbones.load(id, { classes: 1000 });
    file = weightsPath(weightsManifest(id));
  });
  after(() => network?.dispose());

  it('gives the logits of the published graph on two photographs, without its first class', async () => {
    const images = await Promise.all(['chelsea-224.png', 'coffee-224.png'].map((name) => decode(fixture(name))));
    const session = publishedGraph(file);
    const worst = images.map(({ pixels }) => {
      const input = Float32Array.from(pixels, (byte) => byte / 127.5 - 1);
      const spec = { shape: [1, 224, 224, 3], dtype: 'float32' as const };
      return tf.tidy(() => {
        const [expected] = session.fetch([{ node: 'input', spec, feed: input }], ['MobilenetV1/Logits/SpatialSqueeze']);
        assert.deepEqual(expected.shape, [1, 1001]);
        const { logits } = network.forward(tf.tensor4d(pixels, [1, 224, 224, 3], 'int32'), { training: false });
        return logits
          .sub(expected.slice([0, 1], [1, 1000]))
          .abs()
          .max()
          .dataSync()[0];
      });
    });
    session.dispose();
    assert.ok(Math.max(...worst) < 1e-3, `largest differences ${worst.join(', ')}`);
  });

  it('has the shapes of table 1 of the paper', () => {
    const taps = tf.tidy(() =>
      Object.values(network.forward(tf.zeros([1, 224, 224, 3]), { training: false }).taps).map((tap) =>
        tap.shape.slice(1),
      ),
    );
    assert.deepEqual(taps, [
      [112, 112, 32],
      [112, 112, 64],
      [56, 56, 128],
      [28, 28, 256],
      [14, 14, 512],
      [7, 7, 1024],
    ]);
  });

  it('has the 1000 classes of all other backbones: the head of the graph without its first output', async () => {
    const found = await readGraphDef(file);
    const { weight, bias } = network.head;
    assert.deepEqual([weight.shape, bias.shape], [[1024, 1000], [1000]]);
    assert.deepEqual(bias.dataSync(), found.get('MobilenetV1/Logits/Conv2d_1c_1x1/biases')!.data.slice(1));
    const rows = tf.tidy(() =>
      tf
        .tensor(found.get('MobilenetV1/Logits/Conv2d_1c_1x1/weights')!.data as Float32Array, [1024, 1001])
        .slice([0, 1], [1024, 1000])
        .dataSync(),
    );
    assert.deepEqual(weight.dataSync(), rows);
  });

  it('leaves no tensors behind, in evaluation and in training', () => assertNoLeak(network));
});
