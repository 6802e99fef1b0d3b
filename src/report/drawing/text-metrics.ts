// Widths of text in Arial's metrics, which Helvetica and Liberation Sans share: what a page without a layout engine
// cannot measure.

/**
 * Advance widths in thousandths of the font size; read from Liberation Sans 2.1 with PIL. Characters that are not
 * listed take `OTHER`.
 */
const REGULAR: Record<number, string> = {
  191: "'",
  222: 'ijl‘’',
  260: '|',
  278: ' !,./:;I[\\]ft\u00a0·',
  333: '()-`r“”',
  334: '{}',
  355: '"',
  389: '*',
  400: '°',
  469: '^',
  500: 'Jcksvxyz',
  549: '±≤≥',
  556: '#$0123456789?L_abdeghnopqu–',
  576: 'µ',
  584: '+<=>~×−',
  611: 'FTZ',
  667: '&ABEKPSVXY',
  722: 'CDHNRUw',
  778: 'GOQ',
  833: 'Mm',
  889: '%',
  944: 'W',
  1000: '—…→',
  1015: '@',
};
const OTHER = 722;
/** Bold letters are this much wider on average. */
const BOLD = 1.07;

/** Height of a line above and below its baseline, in font sizes. */
export const ASCENT = 0.905;
export const DESCENT = 0.212;

const WIDTHS = new Map(
  Object.entries(REGULAR).flatMap(([width, characters]) =>
    [...characters].map((character) => [character, Number(width)] as const),
  ),
);

/** Width of one line of `text` in pixels at `fontSize` pixels. */
export function textWidth(text: string, fontSize: number, bold = false): number {
  let thousandths = 0;
  for (const character of text) thousandths += WIDTHS.get(character) ?? OTHER;
  return (thousandths / 1000) * fontSize * (bold ? BOLD : 1);
}

/** `text` broken between words to lines of at most `width` pixels; a word that is wider has a line of its own. */
export function wrapText(text: string, fontSize: number, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = lines.length > 0 ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length > 0 && textWidth(longer, fontSize) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
