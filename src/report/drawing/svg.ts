// Figures as SVG, by plotly.js in jsdom: the same figure gives the same SVG, on any machine and in any order.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { JSDOM, VirtualConsole, type DOMWindow } from 'jsdom';
import { KitError } from '../../base/errors';
import { heatmapsAsPaths } from './heat-cells';
import { escapeHtml, visible } from '../table/markup';
import { ASCENT, DESCENT, textWidth } from './text-metrics';

/** What plotly needs of a figure, and a text for those who cannot see it. */
export interface Drawing {
  title: string;
  data: readonly object[];
  layout: { width?: number; height?: number } & Record<string, unknown>;
}

interface PlotlyPage extends DOMWindow {
  Plotly: { toImage(figure: object, options: object): Promise<string> };
}

let page: PlotlyPage | undefined;
let queue: Promise<unknown> = Promise.resolve();

/** The figure as an SVG document of its layout's width and height. @throws KitError when plotly refuses it. */
export function toSvg(drawing: Drawing): Promise<string> {
  const turn = queue.then(() => render(drawing));
  queue = turn.catch(() => undefined);
  return turn;
}

async function render(drawing: Drawing): Promise<string> {
  const { title, data, layout } = heatmapsAsPaths(drawing);
  page ??= openPage();
  const { width = 700, height = 450 } = layout;
  const json = JSON.stringify({ data, layout });
  // plotly names clip paths and traces at random: seeded by the figure itself, names are the same every time and differ
  // between figures.
  page.eval(`Math.random = (${randomFrom.toString()})(${createHash('sha256').update(json).digest().readUInt32LE(0)})`);
  let image: string;
  try {
    image = await page.Plotly.toImage(JSON.parse(json) as object, {
      format: 'svg',
      imageDataOnly: true,
      width,
      height,
    });
  } catch (cause) {
    throw new KitError(
      `plotly could not draw the figure "${title}": ${cause instanceof Error ? cause.message : String(cause)}.`,
      { code: 'FIGURE_NOT_DRAWN', fix: 'Look at the data and the layout of the figure.', cause },
    );
  }
  // Two decimals of a pixel are enough for a path; plotly writes up to sixteen.
  const short = image.replace(/ d="[^"]*"/g, (path) =>
    path.replace(/\d+\.\d{3,}/g, (number) => String(Number(Number(number).toFixed(2)))),
  );
  return short.replace(/^<svg ([^>]*?) style=""/, `<svg $1 role="img" aria-label="${escapeHtml(visible(title))}"`);
}

/** A generator of numbers in [0, 1): Lehmer's, modulo 2^31 - 1. Runs inside the page. */
function randomFrom(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** A page with plotly loaded, in which text has a size. */
function openPage(): PlotlyPage {
  const { window } = new JSDOM('<!doctype html><html><body></body></html>', {
    runScripts: 'outside-only',
    pretendToBeVisual: true,
    virtualConsole: new VirtualConsole(), // jsdom reports there what it does not implement; plotly does not need it
  });
  const { prototype: svg } = window.SVGElement as unknown as { prototype: Record<string, unknown> };
  const { prototype: element } = window.Element as unknown as { prototype: Record<string, unknown> };
  element.getBoundingClientRect = function (this: Element): DOMRect {
    const box = pageBox(this);
    return { ...box, left: box.x, top: box.y, right: box.x + box.width, bottom: box.y + box.height } as DOMRect;
  };
  svg.getBBox = function (this: Element): Box {
    return ownBox(this) ?? EMPTY;
  };
  svg.getComputedTextLength = function (this: Element): number {
    return (ownBox(this) ?? EMPTY).width;
  };
  (window.HTMLCanvasElement as unknown as { prototype: Record<string, unknown> }).prototype.getContext = () => null;
  (window.URL as unknown as Record<string, unknown>).createObjectURL = () => '';
  window.eval(fs.readFileSync(require.resolve('plotly.js-dist-min'), 'utf8'));
  return window as unknown as PlotlyPage;
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** [a, b, c, d, e, f]: x' = a x + c y + e, y' = b x + d y + f. */
type Matrix = readonly [number, number, number, number, number, number];

const EMPTY: Box = { x: 0, y: 0, width: 0, height: 0 };
const IDENTITY: Matrix = [1, 0, 0, 1, 0, 0];

/** An element's box in the page: its own box under all transforms from it upwards. */
function pageBox(element: Element): Box {
  let box = ownBox(element);
  if (box === null) return EMPTY;
  for (let at: Element | null = element; at !== null; at = at.parentElement) box = mapBox(box, matrixOf(at));
  return box;
}

/** An element's box in its own coordinates; `null` for what takes no room. */
function ownBox(element: Element): Box | null {
  switch (element.tagName.toLowerCase()) {
    case 'text':
      return textBox(element);
    case 'tspan': {
      const { size, bold } = fontOf(element);
      return {
        x: 0,
        y: -ASCENT * size,
        width: textWidth(element.textContent ?? '', size, bold),
        height: (ASCENT + DESCENT) * size,
      };
    }
    case 'rect':
      return {
        x: number(element, 'x'),
        y: number(element, 'y'),
        width: number(element, 'width'),
        height: number(element, 'height'),
      };
    case 'g':
    case 'svg': {
      const boxes = [...element.children].flatMap((child) => {
        const box = ownBox(child);
        return box === null ? [] : [mapBox(box, matrixOf(child))];
      });
      return boxes.length === 0 ? null : boxes.reduce(union);
    }
    default:
      return null;
  }
}

/** The box of a text: one line, or the lines that plotly makes as `tspan.line` with `dy` in em. */
function textBox(text: Element): Box {
  const { size, bold, anchor } = fontOf(text);
  const spans = [...text.children].filter((child) => child.classList.contains('line'));
  const lines =
    spans.length > 0
      ? spans.map((span) => ({ text: span.textContent ?? '', dy: parseFloat(span.getAttribute('dy') ?? '0') || 0 }))
      : [{ text: text.textContent ?? '', dy: 0 }];
  const width = Math.max(...lines.map((line) => textWidth(line.text, size, bold)));
  const x = number(text, 'x') - width * (anchor === 'middle' ? 0.5 : anchor === 'end' ? 1 : 0);
  const last = lines[lines.length - 1].dy * size;
  return { x, y: number(text, 'y') - ASCENT * size, width, height: (ASCENT + DESCENT) * size + last };
}

function number(element: Element, name: string): number {
  return Number(element.getAttribute(name)) || 0;
}

/** Font size in pixels, weight and anchor, each from the nearest element that sets it. */
function fontOf(element: Element): { size: number; bold: boolean; anchor: string } {
  const nearest = (property: string): string => {
    for (let at: Element | null = element; at !== null; at = at.parentElement) {
      const value = at.getAttribute(property) ?? (at as SVGElement).style?.getPropertyValue(property);
      if (value) return value;
    }
    return '';
  };
  const weight = nearest('font-weight');
  const hasBoldChild = element.querySelector('tspan[style*="bold"]') !== null;
  return {
    size: parseFloat(nearest('font-size')) || 12,
    bold: weight === 'bold' || Number(weight) >= 600 || hasBoldChild,
    anchor: nearest('text-anchor'),
  };
}

/** The transform attribute as a matrix; translate, rotate and scale are what plotly writes. */
function matrixOf(element: Element): Matrix {
  let matrix = IDENTITY;
  for (const [, name, list] of (element.getAttribute('transform') ?? '').matchAll(
    /(translate|rotate|scale)\(([^)]*)\)/g,
  )) {
    const [a = 0, b, c] = list
      .split(/[\s,]+/)
      .filter(Boolean)
      .map(Number);
    if (name === 'translate') matrix = multiply(matrix, [1, 0, 0, 1, a, b ?? 0]);
    else if (name === 'scale') matrix = multiply(matrix, [a, 0, 0, b ?? a, 0, 0]);
    else {
      const [sin, cos] = [Math.sin((a * Math.PI) / 180), Math.cos((a * Math.PI) / 180)];
      const [x, y] = [b ?? 0, c ?? 0];
      matrix = multiply(matrix, [cos, sin, -sin, cos, x - cos * x + sin * y, y - sin * x - cos * y]);
    }
  }
  return matrix;
}

function multiply([a, b, c, d, e, f]: Matrix, [g, h, i, j, k, l]: Matrix): Matrix {
  return [a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * l + e, b * k + d * l + f];
}

function mapBox({ x, y, width, height }: Box, [a, b, c, d, e, f]: Matrix): Box {
  const xs = [x, x + width].flatMap((px) => [y, y + height].map((py) => a * px + c * py + e));
  const ys = [x, x + width].flatMap((px) => [y, y + height].map((py) => b * px + d * py + f));
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { x: left, y: top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

function union(a: Box, b: Box): Box {
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}
