import assert from 'node:assert/strict';
import { loginOf, publicAddress, withoutSecrets, withPublicAddresses } from '../../src/base/address';

describe('an address for messages and records', () => {
  it('has no user, password, query or fragment', () => {
    for (const [address, expected] of [
      ['http://alice:secret@host:5000/?api_key=secret', 'http://host:5000/'],
      ['http://alice:secret@host:5000', 'http://host:5000'],
      ['https://host/x.pth?X-Amz-Signature=secret#sha256=aa', 'https://host/x.pth'],
      ['http://host:8265/ray/', 'http://host:8265/ray/'],
      ['http://alice:secret@[bad/x?secret', 'http://[bad/x'],
      ['socks5://u:secret@proxy:1080', 'socks5://proxy:1080'],
      ['/home/me/weights?.pth', '/home/me/weights?.pth'],
      ['imagenet', 'imagenet'],
    ])
      assert.equal(publicAddress(address), expected, address);
  });

  it('also inside a sentence', () => {
    assert.equal(
      withPublicAddresses('No answer from http://a:secret@host:1/x?t=secret, or (https://b:secret@c/). See docs?'),
      'No answer from http://host:1/x, or (https://c/). See docs?',
    );
  });

  it('keeps its login apart, and a secret that a server repeats is hidden', () => {
    assert.deepEqual(loginOf('http://al%40ice:p%25w@host'), { user: 'al@ice', password: 'p%w' });
    assert.equal(loginOf('http://host'), null);
    assert.equal(withoutSecrets('no: Bearer tok-1, tok-1', ['tok-1', undefined]), 'no: Bearer ***, ***');
  });
});
