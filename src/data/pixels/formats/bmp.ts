// Windows bitmaps, as PIL's BmpImagePlugin reads them: 1, 4, 8, 16, 24 and 32 bits, run lengths, bit fields.
import { UnsupportedImage, type Image } from '../image';

/** Sizes of the headers that follow the 14 bytes of the file header. */
const HEADERS = [12, 40, 52, 56, 64, 108, 124];
const [PLAIN, RLE8, RLE4, BIT_FIELDS] = [0, 1, 2, 3];
const FILE_HEADER = 14;

/** What the headers of a bitmap say. */
interface BmpHeader {
  width: number;
  height: number;
  /** Rows are stored from the top down. */
  topDown: boolean;
  bits: number;
  compression: number;
  /** Red, green and blue, for 16 and 32 bits. */
  masks: number[];
  /** Byte at which the palette begins, its number of colours, and the bytes of each colour (blue, green, red). */
  palette: { at: number; colours: number; step: number };
  /** Byte at which the pixels begin. */
  pixels: number;
}

/** Reads the headers. @throws Error when they are damaged; UnsupportedImage for kinds that PIL refuses too. */
export function bmpHeader(bytes: Buffer): BmpHeader {
  if (bytes.length < FILE_HEADER + 12) throw new Error('it ends within its header');
  const size = bytes.readUInt32LE(FILE_HEADER);
  if (!HEADERS.includes(size)) throw new UnsupportedImage(`its header has ${size} bytes, which no known kind has`);
  if (bytes.length < FILE_HEADER + Math.max(size, 12)) throw new Error('it ends within its header');
  const field = (at: number): number => bytes.readUInt32LE(FILE_HEADER + at);
  const isOld = size === 12;
  const rawHeight = isOld ? bytes.readUInt16LE(FILE_HEADER + 6) : bytes.readInt32LE(FILE_HEADER + 8);
  const width = isOld ? bytes.readUInt16LE(FILE_HEADER + 4) : bytes.readInt32LE(FILE_HEADER + 4);
  const bits = bytes.readUInt16LE(FILE_HEADER + (isOld ? 10 : 14));
  const compression = isOld ? PLAIN : field(16);
  if (width < 1 || rawHeight === 0) throw new Error(`its size is ${width} x ${rawHeight} pixels`);
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw new UnsupportedImage(`it has ${bits} bits a pixel`);
  let after = FILE_HEADER + size;
  let masks = bits === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff];
  if (compression === BIT_FIELDS) {
    const at = size >= 52 ? FILE_HEADER + 40 : after;
    if (bytes.length < at + 12) throw new Error('it ends within its header');
    const given = [0, 4, 8].map((offset) => bytes.readUInt32LE(at + offset));
    if (size < 52) after += 12;
    if (given.some((mask) => mask !== 0)) masks = given;
  }
  const colours = (isOld ? 0 : field(32)) || 2 ** bits;
  return {
    width,
    height: Math.abs(rawHeight),
    topDown: rawHeight < 0,
    bits,
    compression,
    masks,
    palette: { at: after, colours, step: isOld ? 3 : 4 },
    pixels: bytes.readUInt32LE(10),
  };
}

/** The pixels of a bitmap. @throws Error when it is cut off or damaged; UnsupportedImage for other kinds. */
export function readBmp(bytes: Buffer): Image {
  const header = bmpHeader(bytes);
  const { width, height, bits, compression, topDown } = header;
  const out = new Uint8Array(width * height * 3);
  const rowAt = (row: number): number => (topDown ? row : height - 1 - row) * width * 3;
  if (bits > 8) {
    if (compression !== PLAIN && compression !== BIT_FIELDS) throw otherCompression(header);
    const channels = header.masks.map((mask) => channelOf(mask, header));
    const step = bits / 8;
    eachRow(bytes, header, (row, at) => {
      for (let x = 0, to = rowAt(row); x < width; x++, at += step, to += 3) {
        const value = bytes.readUIntLE(at, step);
        for (let i = 0; i < 3; i++) out[to + i] = channels[i](value);
      }
    });
    return { width, height, pixels: out };
  }
  const palette = readPalette(bytes, header);
  const paint = (to: number, index: number): void => {
    for (let i = 0; i < 3; i++) out[to + i] = palette[index * 3 + i];
  };
  if (compression === PLAIN) {
    const mask = 2 ** bits - 1;
    eachRow(bytes, header, (row, at) => {
      for (let x = 0, to = rowAt(row); x < width; x++, to += 3) {
        const bit = x * bits;
        paint(to, (bytes[at + (bit >> 3)] >> (8 - bits - (bit & 7))) & mask);
      }
    });
  } else if ((compression === RLE8 && bits === 8) || (compression === RLE4 && bits === 4)) {
    const indices = unpackRuns(bytes, header);
    for (let row = 0; row < height; row++)
      for (let x = 0; x < width; x++) paint(rowAt(row) + x * 3, indices[row * width + x]);
  } else throw otherCompression(header);
  return { width, height, pixels: out };
}

const otherCompression = ({ bits, compression }: BmpHeader): Error =>
  new UnsupportedImage(`it has ${bits} bits a pixel and the compression ${compression}`);

/** How a channel's value becomes 0 to 255: by PIL's whole-number formula. */
function channelOf(mask: number, { bits }: BmpHeader): (value: number) => number {
  const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
  const most = mask >>> shift;
  const known = bits === 16 ? [31, 63] : [255];
  if (!known.includes(most) || (bits > 16 && shift % 8 !== 0))
    throw new UnsupportedImage(`its bit field 0x${mask.toString(16)} is unusual`);
  return (value) => Math.trunc((((value & mask) >>> shift) * 255) / most);
}

/** Calls `use` with each stored row and the byte that it begins at. @throws Error when the rows are cut off. */
function eachRow(bytes: Buffer, { width, height, bits, pixels }: BmpHeader, use: (row: number, at: number) => void) {
  const stride = Math.ceil((width * bits) / 32) * 4;
  if (pixels + stride * (height - 1) + Math.ceil((width * bits) / 8) > bytes.length)
    throw new Error('its pixels are cut off');
  for (let row = 0; row < height; row++) use(row, pixels + row * stride);
}

/** RGB of each of 256 colours. Indices without a colour of their own are black, as in PIL. */
function readPalette(bytes: Buffer, { palette: { at, colours, step } }: BmpHeader): Uint8Array {
  if (colours > 65_536) throw new Error(`its palette has ${colours} colours`);
  const palette = new Uint8Array(768);
  for (let index = 0; index < Math.min(256, colours); index++) {
    const from = at + index * step;
    if (from + 3 > bytes.length) throw new Error('its palette is cut off');
    for (let i = 0; i < 3; i++) palette[index * 3 + i] = bytes[from + 2 - i];
  }
  return palette;
}

/** The palette indices of run-length encoded rows (in the order of the file). @throws Error when some are missing. */
function unpackRuns(bytes: Buffer, { width, height, bits, pixels }: BmpHeader): Uint8Array {
  const indices = new Uint8Array(width * height);
  const nibble = (byte: number, i: number): number => (i % 2 === 0 ? byte >> 4 : byte & 15);
  let [at, to, column] = [pixels, 0, 0];
  const need = (length: number): void => {
    if (at + length > bytes.length) throw new Error('its pixels are cut off');
  };
  while (to < indices.length) {
    need(2);
    const [count, value] = [bytes[at], bytes[at + 1]];
    at += 2;
    if (count > 0) {
      const length = Math.min(indices.length - to, Math.max(0, Math.min(count, width - column))); // in this row only
      for (let i = 0; i < length; i++) indices[to++] = bits === 4 ? nibble(value, i) : value;
      column += length;
    } else if (value === 0) {
      to = Math.ceil(to / width) * width;
      column = 0;
    } else if (value === 1) {
      break;
    } else if (value === 2) {
      need(2);
      to = Math.min(indices.length, to + bytes[at] + bytes[at + 1] * width);
      column = to % width;
      at += 2;
    } else {
      const length = Math.min(indices.length - to, value);
      const size = bits === 4 ? Math.ceil(length / 2) : length;
      need(size);
      for (let i = 0; i < length; i++) indices[to++] = bits === 4 ? nibble(bytes[at + (i >> 1)], i) : bytes[at + i];
      column += value;
      at += size + ((at + size) % 2);
    }
  }
  if (to < indices.length) throw new Error(`its run lengths give ${to} of ${indices.length} pixels`);
  return indices;
}
