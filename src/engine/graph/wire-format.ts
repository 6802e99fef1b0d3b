// Writes the wire format of protocol buffers: a field is its number and kind, then its value.
// Kinds: 0 varint, 2 length and bytes, 5 four bytes.

/** A whole number, seven bits a byte, the lowest first. */
export function base128(value: number): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  do {
    out.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(out);
}

const field = (number: number, kind: 0 | 2 | 5): Buffer => base128(number * 8 + kind);
/** A field of a whole number, 64 bits with sign. */
export const varint = (number: number, value: number): Buffer => Buffer.concat([field(number, 0), base128(value)]);
/** A field of bytes. */
export const bytes = (number: number, value: Uint8Array): Buffer =>
  Buffer.concat([field(number, 2), base128(value.byteLength), value]);
/** A field of text in UTF-8. */
export const text = (number: number, value: string): Buffer => bytes(number, Buffer.from(value, 'utf8'));
/** A field that is a message of its own. */
export const message = (number: number, fields: Buffer[]): Buffer => bytes(number, Buffer.concat(fields));

/** A field of a float32. */
export function float(number: number, value: number): Buffer {
  const four = Buffer.alloc(4);
  four.writeFloatLE(value);
  return Buffer.concat([field(number, 5), four]);
}
