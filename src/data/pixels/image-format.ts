// Recognises an image file by its first bytes; names do not count.

/** The formats that are read. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif' | 'bmp' | 'pnm';

/** The format of a file that begins with `bytes`; undefined for every other kind (SVG, PDF, HEIC, text, ...). */
export function imageFormat(bytes: Buffer): ImageFormat | undefined {
  const text = (start: number, end: number): string => bytes.toString('latin1', start, end);
  if (text(0, 3) === '\xff\xd8\xff') return 'jpeg';
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'webp';
  if (/^GIF8[79]a/.test(text(0, 6))) return 'gif';
  if (['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].includes(text(0, 4))) return 'tiff';
  if (text(4, 8) === 'ftyp' && bytes.length >= 16) {
    const brands = text(8, Math.min(bytes.length, Math.min(bytes.readUInt32BE(0), 256))).match(/[^]{4}/g) as
      string[] | null;
    return brands?.includes('avif') || brands?.includes('avis') ? 'avif' : undefined;
  }
  if (text(0, 2) === 'BM') return 'bmp';
  return /^P[1-6][ \t\n\v\f\r]/.test(text(0, 3)) ? 'pnm' : undefined;
}

/** Number of colour components that a JPEG's frame header gives, and its size; undefined when there is none. */
export function jpegFrame(bytes: Buffer): { width: number; height: number; components: number } | undefined {
  for (let at = 2; at + 9 < bytes.length;) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1];
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame)
      return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7), components: bytes[at + 9] };
    if (marker === 0xff)
      at += 1; // padding
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7))
      at += 2; // markers without a length
    else at += 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}

/** Size, bits a channel and colour type that a PNG's IHDR gives; undefined when the file ends before. */
export function pngHeader(
  bytes: Buffer,
): { width: number; height: number; depth: number; colourType: number } | undefined {
  if (bytes.length < 26) return undefined;
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), depth: bytes[24], colourType: bytes[25] };
}

/** Whether the first picture of a GIF covers its whole screen; where it does not, PIL fills the rest. */
export function gifCoversScreen(bytes: Buffer): boolean {
  if (bytes.length < 13) return true;
  const [width, height, flags] = [bytes.readUInt16LE(6), bytes.readUInt16LE(8), bytes[10]];
  for (let at = 13 + (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0); at + 9 < bytes.length;) {
    if (bytes[at] === 0x2c) {
      const [left, top] = [bytes.readUInt16LE(at + 1), bytes.readUInt16LE(at + 3)];
      return left === 0 && top === 0 && bytes.readUInt16LE(at + 5) === width && bytes.readUInt16LE(at + 7) === height;
    }
    if (bytes[at] !== 0x21) return true; // damaged: decoding will fail
    for (at += 2; at < bytes.length && bytes[at] !== 0;) at += 1 + bytes[at];
    at += 1;
  }
  return true;
}
