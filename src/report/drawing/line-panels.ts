// Panels of lines: means over seeds with bands, labels at their ends, and dashed marks.
import { figureLayout, headingOf, ROOM, WIDER } from './heading';
import { plotLines } from './plot-text';
import { drawPanel, hangingOf, rangeOf, type LinePanel, type PanelPosition, type YAxis } from './panel';
import { textWidth, wrapText } from './text-metrics';

/** All panels and what they share. */
export interface LinePanels {
  title: string;
  /** Under the title, wrapped. */
  subtitle: string;
  panels: readonly LinePanel[];
  columns: number;
  /** Pixels. */
  width: number;
  panelHeight: number;
  /** `shared`: all panels have the same range. Default false. */
  y: YAxis & { shared?: boolean };
}

/** A drawing in plotly's terms. */
export interface PlotlyDrawing {
  data: Record<string, unknown>[];
  layout: { width: number; height: number } & Record<string, unknown>;
}

/** Draws the panels, row by row. */
export function drawLinePanels({ title, subtitle, panels, columns, width, panelHeight, y }: LinePanels): PlotlyDrawing {
  const left = [y, ...panels.map((panel) => panel.y)].some((axis) => axis?.scale === 'log') ? ROOM.decades : ROOM.left;
  const across = ROOM.across + left - ROOM.left;
  const right =
    14 + Math.max(40, ...panels.flatMap(({ lines }) => lines).map(({ label }) => WIDER * textWidth(label, 12, true)));
  const heading = headingOf(title, subtitle, width, left);
  const panelWidth = (width - left - columns * right - (columns - 1) * across) / columns;
  const titles = panels.map((panel) => (panel.title === null ? [] : wrapText(panel.title, 12, panelWidth + right - 8)));
  const titled = 13 + ROOM.line * Math.max(0, ...titles.map((text) => text.length));
  // From top to bottom: each row has its titles above it, and hangs as deep as the deepest tick text in it.
  const rows = Array.from({ length: Math.max(1, Math.ceil(panels.length / columns)) }, (_, row) => {
    const own = panels.slice(row * columns, (row + 1) * columns);
    return {
      titled: own.some((panel) => panel.title !== null) ? titled : 0,
      height: Math.max(0, ...own.map((panel) => panel.height ?? panelHeight)) || panelHeight,
      below:
        own.length > 0 && own.every(({ x }) => x.bare) ? ROOM.close : ROOM.down + Math.max(0, ...own.map(hangingOf)),
    };
  });
  const tops = rows.map((_, row) =>
    rows.slice(0, row).reduce((sum, { height, below }, i) => sum + height + below + rows[i + 1].titled, 0),
  );
  const last = rows.length - 1;
  const [plotWidth, plotHeight] = [width - left - right, tops[last] + rows[last].height];
  const top = heading.height + rows[0].titled;
  const bottom = ROOM.bottom - ROOM.down + rows[last].below;
  const data: Record<string, unknown>[] = [];
  const { annotations, ...frame } = figureLayout(heading, {
    width,
    height: top + plotHeight + bottom,
    top,
    right,
    bottom,
    left,
  });
  const layout = { ...frame, shapes: [] as object[], annotations };
  const common = y.shared
    ? rangeOf(
        panels.flatMap(({ lines }) => lines),
        y,
      )
    : null;
  panels.forEach((panel, i) => {
    const height = panel.height ?? panelHeight;
    const [x0, y0] = [(i % columns) * (panelWidth + right + across), tops[Math.floor(i / columns)]];
    const position: PanelPosition = {
      suffix: i === 0 ? '' : String(i + 1),
      domainX: [x0 / plotWidth, (x0 + panelWidth) / plotWidth],
      domainY: [1 - (y0 + height) / plotHeight, 1 - y0 / plotHeight],
      width: panelWidth,
      height,
      title: plotLines(titles[i]),
    };
    const axis = panel.y ?? y;
    drawPanel(panel, position, common ?? rangeOf(panel.lines, axis), axis, data, layout);
  });
  return { data, layout };
}
