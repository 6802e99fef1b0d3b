import assert from 'node:assert/strict';
import { parseRunSpec } from '../../../src/transfer/spec/spec';
import { forgettingTable } from '../../../src/studies/forgetting';
import '../../../src/studies/rifle';
import { exhibits, studies } from '../../../src/studies/study';
import { syntheticRecord, syntheticStudy } from '../../report/records';

const METHODS = ['fine-tuning', 'rifle', 'later-layers', 'later-layers:pretrained'];

describe('the study of later-layer forgetting', () => {
  const records = syntheticStudy({
    'fine-tuning': [0.8, 0.81, 0.82],
    rifle: [0.82, 0.83, 0.84],
    'later-layers': [0.81, 0.82, 0.83],
    'later-layers:pretrained': [0.79, 0.8, 0.81],
  });

  it('compares both ways of forgetting with fine-tuning and with RIFLE', () => {
    const { rows } = forgettingTable(records, { scale: 'mini' });
    const found = rows.map(({ section, method, difference }) => [
      section,
      method,
      typeof difference === 'number' ? Math.round(100 * difference) / 100 : difference,
    ]);
    assert.deepEqual(found, [
      ['against Fine-tuning (L2)', 'Fine-tuning (L2)', null],
      ['against Fine-tuning (L2)', 'RIFLE (L2)', 2],
      ['against Fine-tuning (L2)', 'Later layers, random', 1],
      ['against Fine-tuning (L2)', 'Later layers, pretrained', -1],
      ['against RIFLE (L2)', 'RIFLE (L2)', null],
      ['against RIFLE (L2)', 'Later layers, random', -1],
      ['against RIFLE (L2)', 'Later layers, pretrained', -3],
    ]);
    assert.equal(rows.filter(({ verdict }) => verdict !== null).length, 4, 'RIFLE itself is no claim of this study');
  });

  it('plans its runs at every scale, with room for two resets, and is shown where they exist', () => {
    for (const scale of ['smoke', 'mini', 'paper']) {
      const specs = studies.specs('forgetting', { scale, seeds: [0] });
      assert.deepEqual(
        specs.map(({ reset }) => reset?.name ?? null),
        [null, 'rifle', 'layers', 'layers'],
      );
      assert.ok(specs.every(({ epochs }) => epochs >= 4));
    }
    const { isPresent, figures } = exhibits().find(({ id }) => id === 'forgetting')!;
    assert.equal(isPresent(records, {}), true);
    assert.equal(isPresent([syntheticRecord()], {}), false);
    assert.deepEqual(
      figures!(records, {}).map(({ name }) => name),
      ['forgetting-accuracy'],
      'without rows of layers',
    );
  });

  it('is made of methods with titles and colours', () => {
    const { methods } = studies.get('forgetting');
    assert.deepEqual(methods, METHODS);
    const [, , random] = studies.specs('forgetting', { scale: 'smoke' });
    assert.deepEqual(random, parseRunSpec({ ...random, reset: { name: 'layers', from: 'last-stage', times: 2 } }));
  });
});
