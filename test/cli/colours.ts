/** A text without the colours that picocolors writes. */
// eslint-disable-next-line no-control-regex
export const withoutColours = (text: string): string => text.replace(/\u001b\[\d{1,2}m/g, '');
