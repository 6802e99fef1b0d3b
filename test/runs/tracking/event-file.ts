// A reader of TensorBoard event files, by the formats alone: TFRecord with its masked CRC-32C, and the few fields of
// Event and Summary.
// tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto
import assert from 'node:assert/strict';
import fs from 'node:fs';

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c;
});

/** CRC-32C (Castagnoli), rotated and offset as TFRecord has it. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 255];
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** The records of a file; every checksum is checked. */
function records(file: string): Buffer[] {
  const bytes = fs.readFileSync(file);
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at));
    assert.equal(bytes.readUInt32LE(at + 8), maskedCrc(bytes.subarray(at, at + 8)), 'checksum of a length');
    const data = bytes.subarray(at + 12, at + 12 + length);
    assert.equal(bytes.readUInt32LE(at + 12 + length), maskedCrc(data), 'checksum of a record');
    found.push(data);
    at += 16 + length;
  }
  return found;
}

/** The fields of a protobuf message: numbers for varints and floats, bytes for the rest. */
function* fields(message: Buffer): Generator<[field: number, value: number | Buffer]> {
  let at = 0;
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(value);
    }
  };
  while (at < message.length) {
    const key = varint();
    const wire = key & 7;
    if (wire === 0) yield [key >>> 3, varint()];
    else if (wire === 2) {
      const length = varint();
      yield [key >>> 3, message.subarray(at, (at += length))];
    } else {
      assert.ok(wire === 1 || wire === 5, `wire type ${wire}`);
      yield [key >>> 3, wire === 1 ? message.readDoubleLE(at) : message.readFloatLE(at)];
      at += wire === 1 ? 8 : 4;
    }
  }
}

/** The scalars in event files, in order: step and value by tag. */
export function scalarsIn(files: readonly string[]): Record<string, [step: number, value: number][]> {
  const scalars: Record<string, [number, number][]> = {};
  for (const event of files.flatMap(records)) {
    const parts = new Map(fields(event)); // 2: step, 5: summary
    const summary = parts.get(5);
    if (summary === undefined) continue; // the first tells the version of the format
    for (const [, value] of fields(summary as Buffer)) {
      const of = new Map(fields(value as Buffer)); // 1: tag, 2: simple_value, 8: tensor, 9: metadata
      const tensor = of.get(8) as Buffer | undefined;
      const number = (of.get(2) as number | undefined) ?? scalarOf(tensor!);
      (scalars[(of.get(1) as Buffer).toString()] ??= []).push([(parts.get(2) as number | undefined) ?? 0, number]);
    }
  }
  return scalars;
}

/** The one float of a TensorProto: float_val (5) or tensor_content (4). */
function scalarOf(tensor: Buffer): number {
  const parts = new Map(fields(tensor));
  const [content, values] = [parts.get(4) as Buffer | undefined, parts.get(5) as Buffer | number | undefined];
  return typeof values === 'number' ? values : (content ?? values!).readFloatLE(0);
}
