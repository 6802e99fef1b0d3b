// Bundles in the form that a message can carry.
import assert from 'node:assert/strict';
import { sendable } from '../../../src/notebook/display/sendable';

describe('sendable', () => {
  it('sends bytes as base64, SVG bytes as text, and JSON as it is', () => {
    const png = Uint8Array.from([1, 2, 3]);
    assert.deepEqual(
      sendable({ 'image/png': png, 'image/svg+xml': Buffer.from('<svg/>'), 'application/json': { a: [1] } }),
      {
        'image/png': 'AQID',
        'image/svg+xml': '<svg/>',
        'application/json': { a: [1] },
      },
    );
    assert.deepEqual(sendable({ 'text/html': ['<b>', '</b>'], 'application/json': ['a'] }), {
      'text/html': '<b></b>',
      'application/json': ['a'],
    });
  });

  it('prints what JSON does not have', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    assert.deepEqual(sendable({ 'application/json': 5n, 'text/plain': 7 }), {
      'application/json': '5n',
      'text/plain': '7',
    });
    assert.match(String(sendable({ 'application/json': circle })['application/json']), /Circular/);
  });

  it('leaves out a form that no browser shows, and says its size', () => {
    const bundle = { 'text/html': 'x'.repeat(65e6), 'text/plain': 'x' };
    assert.deepEqual(sendable(bundle), {
      'text/plain': 'text/html of 65 million characters is too large to be shown',
    });
  });
});
