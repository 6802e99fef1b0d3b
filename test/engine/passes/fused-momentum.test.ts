import assert from 'node:assert/strict';
import { graphOfSteps } from '../../../src/transfer/compiled-steps';
import { makeSteps } from '../../../src/transfer/step';
import { golden, tinyNetwork, tinySpec } from '../../transfer/tiny';

describe('the training step of a run', () => {
  it('updates every trained parameter by one fused op, and nothing else by it', () => {
    const backbone = tinyNetwork();
    const steps = makeSteps(tinySpec({ batchSize: 8 }), backbone);
    const { nodes } = graphOfSteps(steps, golden.size, [8], [8]);
    const trained = Object.values(backbone.variables).filter((variable) => variable.trainable);
    const names = Object.entries(steps.variables);
    // The handles of a program are named after the positions of its variables.
    const handles = trained.map((variable) => `variable_${names.findIndex(([, listed]) => listed === variable)}`);
    const updated = nodes.filter(({ op }) => op === 'ResourceApplyMomentum').map(({ inputs }) => inputs[0]);
    assert.ok(handles.length > 10);
    assert.deepEqual(updated.sort(), handles.sort());
    steps.dispose();
    backbone.dispose();
  });
});
