import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { backbones } from '../../../src/backbones/backbone';
import { readWeights } from '../../../src/backbones/weights/read';
import {
  fetchPublished,
  publishedManifest,
  publishedPath,
  publishedState,
  requireNamedHash,
  requirePublished,
  type PublishedManifest,
} from '../../../src/backbones/weights/published';
import { fetchWeightsUrl } from '../../../src/backbones/weights/url';
import { serve, startServer } from '../../data/fetch/bad-server';
import { useFreshHome } from '../../data/fresh-home';
import { fixture } from '../golden-resnet';
import { refused } from '../refused';

const content = fs.readFileSync(fixture('safetensors', 'every.safetensors'));
const sha256 = createHash('sha256').update(content).digest('hex');

describe('weights that their publisher holds', () => {
  const home = useFreshHome();
  let server: Awaited<ReturnType<typeof startServer>>;
  let origin: string;

  beforeEach(async () => {
    server = await startServer(content, [serve]);
    origin = new URL(server.url).origin;
  });
  afterEach(() => server.close());

  const manifest = (prefix = sha256.slice(0, 8)): PublishedManifest => ({
    ...publishedManifest('resnet18.tv_in1k'),
    file: `tiny-${prefix}.safetensors`,
    url: `${origin}/tiny-${prefix}.safetensors`,
    sha256Prefix: prefix,
  });

  it('are downloaded once, verified, and found again; damaged ones are replaced when asked', async () => {
    const of = manifest();
    assert.equal(await publishedState(of), 'missing');
    const file = await requirePublished(of);
    assert.equal(file, publishedPath(of));
    assert.deepEqual(fs.readFileSync(file), content);
    assert.equal(await publishedState(of), 'ready');
    assert.equal(await requirePublished(of), file);
    assert.equal(server.ranges.length, 1);
    fs.appendFileSync(file, 'x');
    assert.equal(await publishedState(of), 'damaged');
    await refused(requirePublished(of), 'WEIGHTS_HASH_MISMATCH');
    await fetchPublished(of);
    assert.equal(await publishedState(of), 'ready');
  });

  it('are refused when the server has another file, and the message says what to fetch by hand', async () => {
    const of = manifest('00c0ffee');
    await refused(requirePublished(of), 'WEIGHTS_NOT_DOWNLOADED');
    assert.equal(await publishedState(of), 'missing');
  });

  it('can be brought from a file, which is checked', async () => {
    const of = manifest();
    const mine = path.join(home.path, 'mine');
    await refused(fetchPublished(of, { from: mine }), 'WEIGHTS_NOT_FOUND');
    fs.writeFileSync(mine, 'another');
    await refused(fetchPublished(of, { from: mine }), 'WEIGHTS_HASH_MISMATCH');
    fs.writeFileSync(mine, content);
    await fetchPublished(of, { from: mine });
    assert.equal(await publishedState(of), 'ready');
    assert.ok(fs.existsSync(mine));
    assert.equal(server.ranges.length, 0);
    await refused(backbones.fetch('resnet50.keras_in1k', { from: mine }), 'WEIGHTS_FROM');
  });

  it('of a path whose name carries a hash are held to it', async () => {
    const named = (name: string) => () => requireNamedHash(path.join(home.path, name), sha256);
    named(`resnet50-${sha256.slice(0, 8)}.pth`)();
    named('resnet50.pth')();
    named('resnet50-20240131.pth')(); // a date
    named('resnet50-0676ba6.pth')();
    assert.throws(named('resnet50-0676ba61.pth'), { code: 'WEIGHTS_HASH_MISMATCH' });
    const wrong = path.join(home.path, 'resnet18-f37072fd.safetensors');
    fs.writeFileSync(wrong, content);
    await refused(backbones.load('resnet18.tv_in1k', { classes: 2, weights: wrong }), 'WEIGHTS_HASH_MISMATCH');
  });

  it('of an address need the hash in it', async () => {
    await refused(fetchWeightsUrl(`${origin}/w.safetensors`), 'WEIGHTS_URL_HASH');
    await refused(fetchWeightsUrl('http://[/w'), 'WEIGHTS_URL');
    const { source, hash } = await fetchWeightsUrl(`${origin}/w.safetensors#sha256=${sha256.toUpperCase()}`);
    assert.equal(hash, sha256);
    assert.ok((await readWeights(source)).has('bfloat16'));
    await refused(fetchWeightsUrl(`${origin}/w.safetensors#sha256=${'0'.repeat(64)}`), 'DOWNLOAD_FAILED');
    await refused(
      backbones.load('resnet18.tv_in1k', { classes: 2, weights: `${origin}/w.safetensors#sha256=${sha256}` }),
      'WEIGHTS_MISMATCH',
    );
  });
});
