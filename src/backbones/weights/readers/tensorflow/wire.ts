// Reads the wire format of protocol buffers field by field, without building the messages.
import { KitError } from '../../../../base/errors';
import type { ByteStream } from '../byte-stream';

/** The wire type of a field: the low three bits of its key (protobuf.dev, "Encoding"). */
export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const types: ReadonlySet<number> = new Set(Object.values(wireType));

/** The key of a field. */
export interface WireField {
  number: number;
  /** One of `wireType`. Groups are deprecated and refused. */
  type: number;
}

/** The fields of one message, in `bytes` from the current position up to `end`. */
export class WireReader {
  constructor(
    private readonly bytes: ByteStream,
    readonly end: number,
  ) {}

  /** Calls `read` for every field in order. It may read the value by the methods below; otherwise it is skipped. */
  fields(read: (field: WireField) => void): void {
    while (this.bytes.position < this.end) {
      const key = Number(this.varint());
      const field = { number: key >>> 3, type: key & 7 };
      if (key < 8 || key > 0xffffffff || !types.has(field.type))
        throw malformed('a field has a number or type that does not exist');
      const start = this.bytes.position;
      read(field);
      if (this.bytes.position === start) this.skip(field.type);
    }
    if (this.bytes.position > this.end) throw malformed('a field ends after its message');
  }

  /** A signed integer of 64 bits. */
  varint(): bigint {
    const first = this.bytes.byte();
    if (first < 0x80) return BigInt(first);
    let value = BigInt(first & 0x7f);
    for (let shift = 7n; shift < 70n; shift += 7n) {
      const byte = this.bytes.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw malformed('a number has more than ten bytes');
  }

  /** The end of the bytes of a field. The position is at their start. */
  span(): number {
    const length = this.varint();
    const room = this.end - this.bytes.position;
    if (length < 0n || length > BigInt(room))
      throw malformed(`a field has ${BigInt.asUintN(64, length)} bytes, but only ${room} are left`);
    return this.bytes.position + Number(length);
  }

  /** A field that is a message of its own. */
  message(): WireReader {
    return new WireReader(this.bytes, this.span());
  }

  /** A field of text. @throws KitError when it is longer than `most` bytes. */
  text(most = 2 ** 16): string {
    const length = this.span() - this.bytes.position;
    if (length > most) throw malformed(`a name has ${length} bytes`);
    return this.bytes.take(length).toString('utf8');
  }

  /** Skips the value of a field. */
  skip(type: number): void {
    if (type === wireType.varint) this.varint();
    else if (type === wireType.bytes) this.bytes.position = this.span();
    else this.bytes.take(type === wireType.fixed64 ? 8 : 4);
  }
}

/** The error for bytes that are not in the wire format. */
export const malformed = (what: string): KitError =>
  new KitError(`It is not a protocol buffer: ${what}.`, { code: 'PROTOBUF_MALFORMED' });
