// Says which TIFF files the image library reads as PIL does, and how they are turned.

/** What the first directory of a TIFF file says, as far as it decides how pixels are read. */
export interface TiffHeader {
  width: number;
  height: number;
  bits: number[];
  compression: number;
  photometric: number;
  samples: number;
  planar: number;
  sampleFormats: number[];
  extraSamples: number[];
  /** EXIF's orientation, 1 to 8. */
  orientation: number;
}

/** Bytes of a value, by its type. */
const SIZES: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4, 16: 8 };
const MOST_VALUES = 16;

/** Reads the first directory of a TIFF or BigTIFF file. @throws Error when it is damaged. */
export function tiffHeader(bytes: Buffer): TiffHeader {
  const little = bytes.toString('latin1', 0, 2) === 'II';
  const read = (at: number, size: number): number => {
    if (at < 0 || at + size > bytes.length) throw new Error('its directory lies outside the file');
    if (size === 8) return Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
    return little ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
  };
  const isBig = read(2, 2) === 43;
  const [word, entrySize, countSize] = isBig ? [8, 20, 8] : [4, 12, 2];
  const directory = read(isBig ? 8 : 4, word);
  const count = read(directory, countSize);
  if (directory + countSize + count * entrySize > bytes.length) throw new Error('its directory is cut off');
  const tags = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const at = directory + countSize + i * entrySize;
    const size = SIZES[read(at + 2, 2)];
    if (size === undefined) continue;
    const number = Math.min(MOST_VALUES, read(at + 4, word));
    const values = at + 4 + word;
    const from = number * size <= word ? values : read(values, word);
    if (from + number * size > bytes.length) continue; // a damaged entry: if it matters, decoding fails
    tags.set(
      read(at, 2),
      Array.from({ length: number }, (_, k) => read(from + k * size, size)),
    );
  }
  const list = (tag: number, preset: number[]): number[] => tags.get(tag) ?? preset;
  const one = (tag: number, preset: number): number => tags.get(tag)?.[0] ?? preset;
  return {
    width: one(256, 0),
    height: one(257, 0),
    bits: list(258, [1]),
    compression: one(259, 1),
    photometric: one(262, -1),
    orientation: one(274, 1),
    samples: one(277, 1),
    planar: one(284, 1),
    extraSamples: list(338, []),
    sampleFormats: list(339, [1]),
  };
}

/** None, CCITT (three kinds), LZW, JPEG, Deflate (two numbers), PackBits. */
const COMPRESSIONS = [1, 2, 3, 4, 5, 7, 8, 32_773, 32_946];
const [WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, INKS, YCBCR] = [0, 1, 2, 3, 5, 6];
const JPEG = 7;
const ASSOCIATED_ALPHA = 1;

/** Why a TIFF file's pixels might differ from PIL's; undefined for the kinds that are tested to be equal. */
export function tiffProblem(header: TiffHeader): string | undefined {
  const { compression, photometric, bits, samples, planar, sampleFormats, extraSamples } = header;
  if (!COMPRESSIONS.includes(compression)) return `a TIFF with the compression ${compression}`;
  if (sampleFormats.some((format) => format !== 1)) return 'a TIFF whose samples are signed or no whole numbers';
  if (planar !== 1 && samples > 1) return 'a TIFF whose channels are stored one after another';
  if (extraSamples.includes(ASSOCIATED_ALPHA)) return 'a TIFF whose colours are multiplied by its alpha channel';
  if (new Set(bits).size !== 1) return `a TIFF with ${bits.join(', ')} bits a channel`;
  const allowed: Readonly<Record<number, number[]>> = {
    [WHITE_IS_ZERO]: [1, 8],
    [BLACK_IS_ZERO]: [1, 2, 4, 8, 16],
    [RGB]: [8, 16],
    [PALETTE]: [1, 2, 4, 8],
    [INKS]: [8],
    [YCBCR]: compression === JPEG ? [8] : [],
  };
  if (allowed[photometric]?.includes(bits[0])) return undefined;
  return `a TIFF with ${bits[0]} bits a channel and the colour space number ${photometric}`;
}
