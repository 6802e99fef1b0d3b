import assert from 'node:assert/strict';
import type { KitError } from '../../../../../src/base/errors';
import { WireReader, wireType, type WireField } from '../../../../../src/backbones/weights/readers/tensorflow/wire';

/** A reader of bytes in memory. */
function readerOf(...values: number[]): WireReader {
  const bytes = Buffer.from(values);
  const stream = {
    position: 0,
    byte: () => {
      if (stream.position >= bytes.length) throw new Error('past the end');
      return bytes[stream.position++];
    },
    take: (count: number) => bytes.subarray(stream.position, (stream.position += count)),
  };
  return new WireReader(stream as unknown as ConstructorParameters<typeof WireReader>[0], bytes.length);
}

const malformed = (error: KitError): boolean => error.code === 'PROTOBUF_MALFORMED';

describe('WireReader', () => {
  // The examples of protobuf.dev, "Encoding".
  it('reads the number 150 and the text "testing"', () => {
    const reader = readerOf(0x08, 0x96, 0x01, 0x12, 0x07, ...Buffer.from('testing'));
    const found: [WireField, bigint | string][] = [];
    reader.fields((field) => found.push([field, field.type === wireType.varint ? reader.varint() : reader.text()]));
    assert.deepEqual(found, [
      [{ number: 1, type: wireType.varint }, 150n],
      [{ number: 2, type: wireType.bytes }, 'testing'],
    ]);
  });

  it('reads -2 as ten bytes, and skips values that are not read', () => {
    assert.equal(readerOf(0xfe, ...Array<number>(8).fill(0xff), 0x01).varint(), -2n);
    const numbers: number[] = [];
    readerOf(0x0d, 1, 2, 3, 4, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1a, 1, 9, 0x20, 5).fields(({ number }) => {
      numbers.push(number);
    });
    assert.deepEqual(numbers, [1, 2, 3, 4]);
  });

  it('refuses groups, field 0, numbers of more than ten bytes, and lengths beyond the message', () => {
    for (const bytes of [[0x0b], [0x00, 1], [0x08, ...Array<number>(11).fill(0x80)], [0x0a, 5, 1]])
      assert.throws(() => readerOf(...bytes).fields(() => undefined), malformed, String(bytes));
  });
});
