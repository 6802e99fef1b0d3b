// Tells by an image file's first bytes whether it needs a way of its own to become RGB as in PIL.

/** `plain`: any way will do. `ask`: the bytes do not say, its decoder must be asked. */
export type ImageKind = 'plain' | 'cmyk' | 'grey16' | 'gif' | 'ask';

/** The kind of the image whose file begins with `bytes` (for a JPEG up to its first scan). */
export function imageKind(bytes: Buffer): ImageKind {
  if (bytes.length < 30) return 'ask';
  if (bytes.readUInt16BE(0) === 0xffd8) return jpegComponents(bytes) === 4 ? 'cmyk' : 'plain';
  // bit depth and colour type of IHDR
  if (bytes.readUInt32BE(0) === 0x89504e47) return bytes[24] === 16 && bytes[25] === 0 ? 'grey16' : 'plain';
  if (bytes.toString('latin1', 0, 4) === 'GIF8') return 'gif';
  return 'ask';
}

/** Number of colour components that a JPEG's frame header gives; undefined when there is none. */
function jpegComponents(bytes: Buffer): number | undefined {
  for (let at = 2; at + 9 < bytes.length;) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1];
    if (marker === 0xff)
      at += 1; // padding
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
      return bytes[at + 9];
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7))
      at += 2; // without a length
    else at += 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}
