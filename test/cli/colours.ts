/** A text without the colours that picocolors writes. */
export const withoutColours = (text: string): string => text.replace(/\u001b\[\d{1,2}m/g, '');
