// Finds how the primary picture of an AVIF file is to be turned: the image library does it, PIL does not.

interface Box {
  type: string;
  start: number;
  end: number;
}

const MOST_BOXES = 4096;

/** The boxes that stand in bytes `start` to `end`. A damaged one ends the list. */
function boxesIn(bytes: Buffer, start: number, end: number): Box[] {
  const boxes: Box[] = [];
  for (let at = start; at + 8 <= end && boxes.length < MOST_BOXES;) {
    let [size, header] = [bytes.readUInt32BE(at), 8];
    if (size === 1 && at + 16 <= end) [size, header] = [Number(bytes.readBigUInt64BE(at + 8)), 16];
    else if (size === 0) size = end - at;
    if (size < header || at + size > end) break;
    boxes.push({ type: bytes.toString('latin1', at + 4, at + 8), start: at + header, end: at + size });
    at += size;
  }
  return boxes;
}

/** The EXIF orientation (1 to 8) that `irot` and `imir` of the primary item amount to; 1 without them. */
export function avifOrientation(bytes: Buffer): number {
  try {
    const meta = boxesIn(bytes, 0, bytes.length).find(({ type }) => type === 'meta');
    if (meta === undefined) return 1;
    const inMeta = boxesIn(bytes, meta.start + 4, meta.end);
    const pitm = inMeta.find(({ type }) => type === 'pitm');
    const iprp = inMeta.find(({ type }) => type === 'iprp');
    if (pitm === undefined || iprp === undefined) return 1;
    const primary = bytes[pitm.start] === 0 ? bytes.readUInt16BE(pitm.start + 4) : bytes.readUInt32BE(pitm.start + 4);
    const inProperties = boxesIn(bytes, iprp.start, iprp.end);
    const ipco = inProperties.find(({ type }) => type === 'ipco');
    if (ipco === undefined) return 1;
    const properties = boxesIn(bytes, ipco.start, ipco.end);
    const own = inProperties
      .filter(({ type }) => type === 'ipma')
      .flatMap((ipma) => associations(bytes, ipma, primary));
    const byType = (wanted: string): Box | undefined =>
      own.map((index) => properties[index - 1]).find((box) => box?.type === wanted);
    const [irot, imir] = [byType('irot'), byType('imir')];
    return orientationOf(irot && bytes[irot.start] & 3, imir && bytes[imir.start] & 1);
  } catch (error) {
    if (error instanceof RangeError) return 1; // a damaged box: decoding will fail
    throw error;
  }
}

/** The 1-based indices of the properties that belong to `item`. */
function associations(bytes: Buffer, { start }: Box, item: number): number[] {
  const [version, isWide] = [bytes[start], (bytes[start + 3] & 1) === 1];
  const count = bytes.readUInt32BE(start + 4);
  for (let i = 0, at = start + 8; i < count; i++) {
    const id = version === 0 ? bytes.readUInt16BE(at) : bytes.readUInt32BE(at);
    at += version === 0 ? 2 : 4;
    const number = bytes.readUInt8(at++);
    const indices: number[] = [];
    for (let k = 0; k < number; k++, at += isWide ? 2 : 1)
      indices.push(isWide ? bytes.readUInt16BE(at) & 0x7fff : bytes.readUInt8(at) & 0x7f);
    if (id === item) return indices;
  }
  return [];
}

/**
 * EXIF's orientation of a rotation (quarter turns anticlockwise, ISO/IEC 23008-12 `irot`) that a mirroring follows
 * (`imir`: 0 swaps top and bottom, 1 swaps left and right).
 */
function orientationOf(turns = 0, mirror?: number): number {
  if (mirror === undefined) return [1, 8, 3, 6][turns];
  return mirror === 0 ? [4, 5, 2, 7][turns] : [2, 7, 4, 5][turns];
}
