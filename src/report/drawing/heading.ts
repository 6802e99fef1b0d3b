// The heading of a figure, and the plotly layout around its panels.
import { FONT, INK } from './figure-style';
import { boldLines, plotLines } from './plot-text';
import { wrapText } from './text-metrics';

/**
 * Letters of the fonts that stand in where there is no Arial are up to so much wider: neither a label beside a line nor
 * a heading must be cut.
 */
export const WIDER = 1.2;

/**
 * Room around and between panels, px; `decades` is on the left of a logarithmic axis, whose numbers are long, `close`
 * between panels with one axis.
 */
export const ROOM = { top: 58, line: 17, bottom: 48, left: 58, decades: 70, across: 62, down: 44, close: 14 };

/** Title and the text under it, broken to lines, and the room above the plot that they take, px. */
export interface Heading {
  title: string[];
  subtitle: string[];
  height: number;
}

/** The heading of a figure `width` pixels wide whose plot begins `left` pixels from its edge. */
export function headingOf(title: string, subtitle: string, width: number, left: number): Heading {
  const lines = {
    title: wrapText(title, 1.07 * WIDER * TITLE.size, width - left - 8),
    subtitle: wrapText(subtitle, WIDER * 12, width - left - 8),
  };
  return {
    ...lines,
    height: ROOM.top + (lines.title.length - 1) * TITLE.line + (lines.subtitle.length - 1) * ROOM.line,
  };
}

const TITLE = { size: 16, line: 21 };

/**
 * Plotly's layout of everything but the panels: size, fonts, title, and the text under it. `top` is the room above the
 * plot.
 */
export function figureLayout(
  heading: Heading,
  {
    width,
    height,
    top,
    right,
    bottom,
    left,
  }: { width: number; height: number; top: number; right: number; bottom: number; left: number },
): Record<string, unknown> & { width: number; height: number; annotations: object[] } {
  // Not plotly's own subtitle, which has room for one line; nor its title when that has more than one, whose lines not
  // all viewers keep apart.
  const note = (lines: readonly string[], from: number): Record<string, unknown> => ({
    text: plotLines(lines),
    align: 'left',
    showarrow: false,
    xref: 'paper',
    yref: 'paper',
    x: 0,
    y: 1,
    xanchor: 'left',
    yanchor: 'top',
    xshift: -1,
    yshift: top - from,
  });
  const long = heading.title.length > 1;
  const text = boldLines(heading.title);
  return {
    width,
    height,
    margin: { l: left, r: right, t: top, b: bottom },
    font: { family: FONT, size: 12, color: INK.text },
    title: {
      text: long ? '' : text,
      font: { size: TITLE.size },
      x: 0,
      xref: 'paper',
      xanchor: 'left',
      y: 1 - 14 / height,
      yanchor: 'top',
    },
    showlegend: false,
    paper_bgcolor: INK.paper,
    plot_bgcolor: INK.paper,
    hovermode: 'x unified',
    annotations: [
      { ...note(heading.subtitle, 32 + (heading.title.length - 1) * TITLE.line), font: { size: 12, color: INK.soft } },
      ...(long ? [{ ...note(heading.title, 8), text, font: { size: TITLE.size, color: INK.text } }] : []),
    ],
  };
}
