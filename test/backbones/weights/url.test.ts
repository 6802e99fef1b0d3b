// Weights by an address: any path that a URL can have, and no secret in what is printed.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { KitError } from '../../../src/base/errors';
import { fetchWeightsUrl, isWeightsUrl } from '../../../src/backbones/weights/url';
import { serve, startServer } from '../../data/fetch/bad-server';
import { useFreshHome } from '../../data/fresh-home';

describe('weights by an address', () => {
  useFreshHome();
  const file = Buffer.from('weights');
  const hash = createHash('sha256').update(file).digest('hex');
  let server: Awaited<ReturnType<typeof startServer>>;
  before(
    async () => (server = await startServer(file, [(request, response, bytes) => serve(request, response, bytes)])),
  );
  after(() => server.close());

  it('have a name in the cache that the disk takes, whatever the path is', async () => {
    const { origin } = new URL(server.url);
    const names: string[] = [];
    for (const end of ['net.pth', '%00', '%E0%A4%A', 'a%2F..%2Fb.pth', `${'x'.repeat(300)}.safetensors`, '', '..', '%'])
      for (const query of ['', '?signature=SECRET']) {
        const { source } = await fetchWeightsUrl(`${origin}/${end}${query}#sha256=${hash}`);
        assert.ok(fs.readFileSync(source).equals(file), end);
        names.push(path.basename(source));
      }
    assert.ok(
      names.every((name) => name.length < 200 && !/SECRET|[^\w.+-]/.test(name)),
      names.join(' '),
    );
  });

  it('are refused without a hash or an address, and no secret of it is printed', async () => {
    for (const [address, code] of [
      ['http://user:SECRET@127.0.0.1/net.pth?key=SECRET', 'WEIGHTS_URL_HASH'],
      ['http://127.0.0.1/net.pth#sha256=12', 'WEIGHTS_URL_HASH'],
      ['http://[/net.pth', 'WEIGHTS_URL'],
    ])
      await assert.rejects(fetchWeightsUrl(address), (error: KitError) => {
        assert.equal(error.code, code, address);
        assert.doesNotMatch(error.message + error.fix, /SECRET/);
        return true;
      });
    assert.ok(isWeightsUrl('HTTPS://host/x') && !isWeightsUrl('./https/x'));
  });
});
