import assert from 'node:assert/strict';
import { backbones } from '../../src/backbones/backbone';
import {
  checkDefinition,
  defineBackbone,
  definedBackbones,
  registerBackbone,
  requireBackbone,
  type BackboneDefinition,
} from '../../src/backbones/define-backbone';
import { forgetDefinitions } from '../../src/base/definitions/registry';
import { identity } from '../../src/backbones/layers';
import { decode } from '../../src/data/pixels/decode';
import { tf } from '../../src/engine/tensorflow';
import { squeezeNet } from './examples/squeezenet';
import { fixture } from './golden-resnet';
import { unlessOffline } from './unless-offline';

const changed = (record: Partial<BackboneDefinition['record']>): BackboneDefinition => ({
  ...squeezeNet,
  record: { ...squeezeNet.record, ...record },
});

describe('defineBackbone', function () {
  this.timeout(120_000);
  const { id } = squeezeNet.record;
  before(() => void defineBackbone(squeezeNet));
  after(() => forgetDefinitions('example/'));

  it('makes a backbone known to lists and lookups, and replaces it when the same file defines it again', () => {
    assert.equal(defineBackbone(squeezeNet), squeezeNet);
    assert.equal(backbones.list().filter((record) => record.id === id).length, 1);
    assert.equal(requireBackbone(id), squeezeNet);
  });

  it('refuses a name without a slash, and a name that another file has defined', () => {
    assert.throws(() => defineBackbone(changed({ id: 'squeezenet' })), { code: 'BACKBONE_NAME' });
    assert.throws(() => registerBackbone(squeezeNet, { file: '/elsewhere/squeezenet.ts', line: null }), {
      code: 'BACKBONE_DEFINED_TWICE',
    });
    assert.throws(() => registerBackbone(changed({ id: 'resnet50.tv_in1k' }), { file: '/my.ts', line: null }), {
      code: 'BACKBONE_DEFINED_TWICE',
    });
  });

  it('says for an unknown name which names are near, and which files are loaded', () => {
    assert.throws(
      () => requireBackbone('example/squeezenet1_0'),
      (error: Error & { code: string; fix: string }) =>
        error.code === 'UNKNOWN_BACKBONE' &&
        error.fix.includes('"example/squeezenet1_1"') &&
        error.fix.includes('define-backbone.test'),
    );
  });

  it('refuses a definition that contradicts itself', () => {
    const refused = (definition: BackboneDefinition) =>
      assert.throws(() => checkDefinition(definition), { code: 'BACKBONE_DEFINITION' });
    refused(changed({ parameters: 1 }));
    refused(changed({ taps: [] }));
    refused(changed({ taps: ['stem', 'stem'] }));
    refused(changed({ featureSize: 100 }));
    refused(changed({ head: { weight: 'conv1/kernel', bias: 'conv1/bias' } }));
    refused({ ...squeezeNet, version: 0 });
  });

  it('refuses a network that does not give the stages of its record', async () => {
    const other = changed({ id: 'example/without-stages' });
    defineBackbone({ ...other, build: (classes) => ({ ...other.build(classes), trunk: identity }) });
    const backbone = await backbones.load('example/without-stages', { classes: 2, weights: 'random' });
    assert.throws(() => backbone.forward(tf.zeros([1, 8, 8, 3]), { training: false }), { code: 'BACKBONE_STAGES' });
    backbone.dispose();
  });

  it("accepts every definition of the kit's own", () => {
    for (const definition of definedBackbones()) if (!definition.record.id.includes('/')) checkDefinition(definition);
  });

  it('loads and runs the guest: the logits of torchvision with the same weights', async function () {
    await unlessOffline(this, () => backbones.fetch(id));
    const backbone = await backbones.load(id, { classes: 1000 });
    const { pixels } = await decode(fixture('chelsea-224.png'));
    const photograph = tf.tensor4d(Int32Array.from(pixels), [1, 224, 224, 3], 'int32');
    const { logits, taps } = backbone.forward(photograph, { training: false });
    assert.deepEqual(Object.keys(taps), squeezeNet.record.taps);
    const values = Array.from(logits.dataSync());
    const best = values.map((value, i) => ({ value, i })).sort((a, b) => b.value - a.value);
    // data-scripts/golden/squeezenet.py
    const golden = [
      [285, 29.0853],
      [282, 28.945],
      [281, 28.6378],
      [287, 24.79],
      [293, 24.6904],
    ];
    golden.forEach(([index, logit], rank) => {
      assert.equal(best[rank].i, index);
      assert.ok(Math.abs(best[rank].value - logit) < 1e-3, `${best[rank].value} for ${logit}`);
    });
    tf.dispose([photograph, logits, taps]);
    backbone.dispose();
  });
});
