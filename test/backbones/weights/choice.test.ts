import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  choosePrefix,
  chooseTensors,
  sharedWrapper,
  splitChoice,
  type ExpectedNames,
} from '../../../src/backbones/weights/choice';
import { readNetworkWeights, readWeights, splitPath } from '../../../src/backbones/weights/read';
import { fixture } from '../golden-resnet';
import { refused } from '../refused';

const own = ['features.0.weight', 'features.0.bias', 'fc.weight', 'fc.bias'];
const expectedNames: ExpectedNames = {
  names: own,
  fitting: (names) => names.filter((name) => own.includes(name)).length,
};

/** What torch.load(weights_only=True) finds in each file (data-scripts/golden/checkpoint_files.py). */
interface Expected {
  key: string | null;
  prefix: string | null;
  /** Whether it reads the file. */
  reads: boolean;
  values?: Record<string, number[]>;
}
const expected = JSON.parse(fs.readFileSync(fixture('checkpoints', 'expected.json'), 'utf8')) as Record<
  string,
  Expected
>;
const file = (name: string): string => fixture('checkpoints', name);

describe('checkpoints', function () {
  this.timeout(60_000);

  for (const [name, { key, prefix, reads, values }] of Object.entries(expected)) {
    if (name === 'two.pth') continue;
    if (reads)
      it(`${name}: finds the network's tensors where PyTorch has them`, async () => {
        const { stateDict, selection } = await readNetworkWeights(file(name), expectedNames);
        assert.deepEqual([selection.key, selection.prefix], [key, prefix]);
        for (const [weight, numbers] of Object.entries(values!))
          assert.deepEqual(Array.from(stateDict.get(weight)!.data as Float32Array), numbers, weight);
      });
  }

  it('names what it leaves out: tensors of other types, outside the prefix, and equal sets of weights', async () => {
    const types = (await readNetworkWeights(file('types.pth'), expectedNames)).selection.unreadable;
    assert.deepEqual(
      types.map(({ name, type }) => `${name} ${type}`),
      ['c complex64', 'f8 float8_e4m3fn', 'u16 uint16'],
    );
    const lightning = await readNetworkWeights(file('lightning.ckpt'), expectedNames);
    assert.deepEqual(lightning.selection.outside, ['loss.weight']);
    const reference = await readNetworkWeights(file('reference.pth'), expectedNames);
    assert.deepEqual(reference.selection.otherKeys, ['model_ema']);
  });

  it('reads another set when the user names its key, and refuses an unknown key', async () => {
    const { file: at, ...choice } = splitPath(`${file('reference.pth')}#key=model_ema`);
    const { stateDict, selection } = await readNetworkWeights(at, expectedNames, choice);
    assert.deepEqual([selection.key, selection.prefix, selection.outside], ['model_ema', 'module.', ['n_averaged']]);
    // the averaged copy has every number plus 1
    const plain = expected['reference.pth'].values!['fc.weight'];
    assert.deepEqual(
      Array.from(stateDict.get('fc.weight')!.data as Float32Array),
      plain.map((x) => x + 1),
    );
    await refused(readNetworkWeights(at, expectedNames, { key: 'ema' }), 'WEIGHTS_KEY_UNKNOWN');
  });

  it('refuses to guess between two networks in one file, and takes the one that the user names', async () => {
    await refused(readNetworkWeights(file('two.pth'), expectedNames), 'WEIGHTS_PREFIX_AMBIGUOUS');
    const { stateDict } = await readNetworkWeights(file('two.pth'), expectedNames, { prefix: 'teacher.' });
    assert.equal(stateDict.get('features.0.weight')!.data[0], 1);
  });

  it('reads a checkpoint whose arguments are a Namespace, which torch refuses: it is plain data here', async () => {
    assert.equal(expected['arguments.pth'].reads, false);
    const { selection } = await readNetworkWeights(file('arguments.pth'), expectedNames);
    assert.equal(selection.key, 'model');
  });

  it('refuses a function, as torch does', async () => {
    assert.equal(expected['program.pth'].reads, false);
    await refused(readNetworkWeights(file('program.pth'), expectedNames), 'PICKLE_NAME');
  });

  it('without a network, readWeights takes the usual key and removes the wrappers of PyTorch', async () => {
    assert.deepEqual([...(await readWeights(file('example.pth.tar'))).keys()], own);
    assert.deepEqual(new Set((await readWeights(file('compiled.safetensors'))).keys()), new Set(own));
  });
});

describe('choosePrefix', () => {
  it('keeps names that fit as they are, and finds a prefix of any length', () => {
    assert.equal(choosePrefix(own, expectedNames), '');
    assert.equal(choosePrefix([...own, ...own.map((name) => `ema.${name}`)], expectedNames), '');
    assert.equal(
      choosePrefix(
        own.map((name) => `a.b.c.${name}`),
        expectedNames,
      ),
      'a.b.c.',
    );
    assert.equal(choosePrefix(['unknown'], expectedNames), '');
  });

  it('takes time that does not grow with the square of the names', () => {
    const names = Array.from({ length: 200_000 }, (_, i) => `p${i}.fc.weight`);
    const start = performance.now();
    assert.throws(() => choosePrefix(names, expectedNames), { code: 'WEIGHTS_PREFIX_AMBIGUOUS' });
    assert.ok(performance.now() - start < 5000);
  });
});

describe('chooseTensors', () => {
  const set = (key: string, names: string[]) => ({ key, shapes: new Map(names.map((name) => [name, [1]])) });

  it('takes the set with most of the names, weights before averages of them', () => {
    const { choose, chosen } = chooseTensors(expectedNames, {});
    choose([set('model_ema', own), set('optimizer', ['momentum']), set('model', own), set('', own.slice(1))]);
    assert.deepEqual(chosen(), { key: 'model', otherKeys: ['model_ema'] });
  });
});

describe('sharedWrapper', () => {
  it('finds what all names share', () => {
    assert.equal(sharedWrapper(['module._orig_mod.a', 'module._orig_mod.b']), 'module._orig_mod.');
    assert.equal(sharedWrapper(['module.a', 'b']), '');
    assert.equal(sharedWrapper([]), '');
  });
});

describe('splitChoice', () => {
  it('reads key and prefix, and refuses everything else', () => {
    assert.deepEqual(splitChoice('key=a.b&prefix=c.'), { key: 'a.b', prefix: 'c.' });
    assert.throws(() => splitChoice('keys=a'), { code: 'WEIGHTS_CHOICE' });
    assert.throws(() => splitChoice('key=a&key=b'), { code: 'WEIGHTS_CHOICE' });
  });

  it('leaves a path alone that exists as it is', () => {
    assert.deepEqual(splitPath('a#b'), { file: 'a#b' });
    assert.deepEqual(splitPath('a.pth#key=b'), { file: 'a.pth', key: 'b', prefix: undefined });
    assert.equal(path.isAbsolute(file('plain')), true);
  });
});
