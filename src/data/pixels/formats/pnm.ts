// Portable bitmaps, greymaps and pixmaps (P1 to P6), as PIL's PpmImagePlugin reads them.
import type { Image } from '../image';

const SPACE = new Set([0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d]);
const HASH = 0x23;
/** Most characters of a number, as in PIL. */
const MOST_DIGITS = 10;

/** What the header says; `pixels` is the byte at which they begin. */
interface PnmHeader {
  kind: number;
  width: number;
  height: number;
  /** The value of white. */
  most: number;
  pixels: number;
}

/** The words of a text between white space, without comments. */
class Words {
  constructor(
    private readonly bytes: Buffer,
    public at: number,
  ) {}

  /** The next number; one character of white space after it is skipped. @throws Error when there is none. */
  number(): number {
    let text = '';
    for (; this.at < this.bytes.length;) {
      const byte = this.bytes[this.at++];
      if (byte === HASH) this.skipComment();
      else if (!SPACE.has(byte)) {
        text += String.fromCharCode(byte);
        if (text.length > MOST_DIGITS) throw new Error('it has a number that is too long');
      } else if (text !== '') break;
    }
    if (text === '') throw new Error('it is cut off');
    if (!/^\d+$/.test(text)) throw new Error('it has text where a number is expected');
    return Number(text);
  }

  /** The next character that is neither white space nor in a comment; undefined at the end. */
  character(): number | undefined {
    while (this.at < this.bytes.length) {
      const byte = this.bytes[this.at++];
      if (byte === HASH) this.skipComment();
      else if (!SPACE.has(byte)) return byte;
    }
    return undefined;
  }

  private skipComment(): void {
    while (this.at < this.bytes.length && this.bytes[this.at] !== 0x0a && this.bytes[this.at] !== 0x0d) this.at++;
    this.at++;
  }
}

/** Reads the header. @throws Error when it is damaged. */
export function pnmHeader(bytes: Buffer): PnmHeader {
  const kind = bytes[1] - 0x30;
  if (bytes[0] !== 0x50 || !(kind >= 1 && kind <= 6) || !SPACE.has(bytes[2])) throw new Error('its header is damaged');
  const words = new Words(bytes, 3);
  const [width, height] = [words.number(), words.number()];
  const most = kind === 1 || kind === 4 ? 1 : words.number();
  if (width < 1 || height < 1) throw new Error(`its size is ${width} x ${height} pixels`);
  if (most < 1 || most > 65_535) throw new Error(`its largest value is ${most}, not 1 to 65535`);
  return { kind, width, height, most, pixels: words.at };
}

/** The pixels of a portable map. @throws Error when it is cut off or damaged. */
export function readPnm(bytes: Buffer): Image {
  const header = pnmHeader(bytes);
  const { kind, width, height } = header;
  const channels = kind === 3 || kind === 6 ? 3 : 1;
  const count = width * height * channels;
  if (bytes.length - header.pixels < smallest(header, count)) throw new Error('its pixels are cut off');
  const values = kind < 4 ? textValues(bytes, header, count) : byteValues(bytes, header, count);
  if (channels === 3) return { width, height, pixels: values };
  const pixels = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) pixels.fill(values[i], i * 3, i * 3 + 3);
  return { width, height, pixels };
}

/** The least bytes that so many values take: less is refused before memory is taken for them. */
function smallest({ kind, width, height, most }: PnmHeader, count: number): number {
  if (kind === 1) return count;
  if (kind === 4) return Math.ceil(width / 8) * height;
  return kind < 4 ? 2 * count - 1 : count * (most > 255 ? 2 : 1);
}

/** What makes 0 to 255 of a value. 16-bit grey is cut off at 255, as PIL's conversion to RGB does. */
function scale({ kind, most }: PnmHeader): (value: number) => number {
  const isDeepGrey = most > 255 && (kind === 2 || kind === 5);
  const white = isDeepGrey ? 65_535 : 255;
  return (value) => Math.min(255, roundHalfEven((value / most) * white));
}

/** Python's `round`. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}

function byteValues(bytes: Buffer, header: PnmHeader, count: number): Uint8Array {
  const { kind, width, height, most, pixels } = header;
  const values = new Uint8Array(count);
  if (kind === 4) {
    const stride = Math.ceil(width / 8);
    for (let y = 0, to = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        values[to++] = (bytes[pixels + y * stride + (x >> 3)] >> (7 - (x & 7))) & 1 ? 0 : 255;
    return values;
  }
  const toByte = scale(header);
  const isWide = most > 255;
  for (let i = 0; i < count; i++) values[i] = toByte(isWide ? bytes.readUInt16BE(pixels + i * 2) : bytes[pixels + i]);
  return values;
}

function textValues(bytes: Buffer, header: PnmHeader, count: number): Uint8Array {
  const values = new Uint8Array(count);
  const words = new Words(bytes, header.pixels);
  const toByte = scale(header);
  for (let i = 0; i < count; i++) {
    if (header.kind === 1) {
      const digit = words.character();
      if (digit === undefined) throw new Error('its pixels are cut off');
      if (digit !== 0x30 && digit !== 0x31) throw new Error('it has a pixel that is neither 0 nor 1');
      values[i] = digit === 0x31 ? 0 : 255;
      continue;
    }
    const value = words.number();
    if (value > header.most) throw new Error(`it has the value ${value}, above ${header.most}`);
    values[i] = toByte(value);
  }
  return values;
}
