// Text in plotly figures. plotly reads a small HTML in every text (bold, links, line breaks): names are data.
import { visible } from '../table/markup';

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', $: '&#36;' };

/**
 * `text` as it is, in a plotly figure: no tag, no link, no mathematics between dollar signs. Control characters, which
 * an SVG must not have, are written as escapes.
 */
export const plotText = (text: string): string => visible(text).replace(/[&<>$]/g, (character) => ENTITIES[character]);

/** Lines of text, one below the other. */
export const plotLines = (lines: readonly string[]): string => lines.map(plotText).join('<br>');

/** Lines of bold text. */
export const boldLines = (lines: readonly string[]): string => `<b>${plotLines(lines)}</b>`;
