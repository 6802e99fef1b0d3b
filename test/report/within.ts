// A check of drawings: no text reaches beyond the edge.
import assert from 'node:assert/strict';
import { JSDOM } from 'jsdom';
import { textWidth } from '../../src/report/drawing/text-metrics';

/** Every text of the SVG document lies inside it, by the widths of Arial; texts read from below too. */
export function within(svg: string): void {
  const { document } = new JSDOM(svg, { contentType: 'image/svg+xml' }).window;
  const root = document.documentElement;
  const [width, height] = ['width', 'height'].map((name) => Number(root.getAttribute(name)));
  for (const text of document.querySelectorAll('text')) {
    let [x, y] = [Number(text.getAttribute('x')), Number(text.getAttribute('y'))];
    for (let at: Element | null = text; at; at = at.parentElement) {
      for (const [, dx, dy] of (at.getAttribute('transform') ?? '').matchAll(/translate\(([-\d.]+)[, ]+([-\d.]+)\)/g))
        [x, y] = [x + Number(dx), y + Number(dy)];
    }
    const style = text.getAttribute('style') ?? '';
    const size = parseFloat(/font-size: ([\d.]+)px/.exec(style)?.[1] ?? '12');
    const lines = [...text.querySelectorAll('tspan.line')].map((line) => line.textContent ?? '');
    const long = Math.max(
      ...(lines.length > 0 ? lines : [text.textContent ?? '']).map((line) => textWidth(line, size)),
    );
    const before = long * ({ middle: 0.5, end: 1 }[text.getAttribute('text-anchor') ?? ''] ?? 0);
    const upright = !(text.getAttribute('transform') ?? '').includes('rotate(-90');
    // A text read from below begins lower than it ends.
    const [left, right, top, bottom] = upright
      ? [x - before, x - before + long, y, y]
      : [x, x, y + before - long, y + before];
    const where = `"${text.textContent}" is cut: ${left} to ${right} of ${width}, ${top} to ${bottom} of ${height}`;
    assert.ok(left >= -1 && right <= width + 1 && top >= -1 && bottom <= height + 1, where);
  }
}
