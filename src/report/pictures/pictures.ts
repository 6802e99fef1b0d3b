// Photographs of a data set as one picture, a row a class, for a notebook or a report.
import path from 'node:path';
import { sharp } from '../../base/packages';
import type { Dataset, Sample } from '../../data/dataset';
import { html, htmlLines, type HtmlValue } from '../table/markup';

const cell = (content: HtmlValue) => html`<td style="text-align:left">${content}</td>`;

const image = (label: string, png: Buffer) =>
  html`<img alt="${label}" src="data:image/png;base64,${png.toString('base64')}">`;

/** A picture as a value that a notebook shows. */
export class Picture {
  readonly title: string;
  readonly caption: string;
  /** The whole picture. */
  readonly png: Buffer;
  /** The same in strips, each with its name. */
  readonly rows: readonly { label: string; png: Buffer }[];

  constructor(picture: {
    title: string;
    caption: string;
    png: Buffer;
    rows: readonly { label: string; png: Buffer }[];
  }) {
    this.title = picture.title;
    this.caption = picture.caption;
    this.png = picture.png;
    this.rows = picture.rows;
  }

  toString(): string {
    return `${this.title}\n${this.caption}`;
  }

  /** What `console.log(picture)` prints. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Picture: ${this.toString()}`;
  }

  /** What a notebook shows when a picture is a cell's value, by the convention of Jupyter's JavaScript kernels. */
  [Symbol.for('Jupyter.display')](): Record<string, unknown> {
    const rows = this.rows.map(({ label, png }) => html`<tr>${cell(label)}${cell(image(label, png))}</tr>`);
    const page = htmlLines([
      html`<p><b>${this.title}</b></p>`,
      html`<table><tbody>`,
      ...rows,
      html`</tbody></table>`,
      html`<p>${this.caption}</p>`,
    ]);
    return { 'text/html': page.toString(), 'image/png': this.png.toString('base64'), 'text/plain': this.toString() };
  }
}

/** Options of `sampleGrid`. */
export interface SampleGridOptions {
  /** Which split. Default `train`. */
  split?: 'train' | 'test';
  /** Photographs of each class: the first of the split. Default 8. */
  perClass?: number;
  /** Side of a photograph's centre square in the picture, pixels. Default 84. */
  side?: number;
}

const GAP = 4;

/** The first photographs of each class, a row a class, at the same scale of display. */
export async function sampleGrid(dataset: Dataset, options: SampleGridOptions = {}): Promise<Picture> {
  const { split = 'train', perClass = 8, side = 84 } = options;
  const rows = await Promise.all(
    dataset.classes.map(async (label, index) => {
      const samples = dataset[split].filter((sample) => sample.label === index);
      return {
        label: `${label} (${samples.length})`,
        png: await strip(dataset.root, samples.slice(0, perClass), perClass, side),
      };
    }),
  );
  const [width, height] = [perClass * (side + GAP) - GAP, dataset.classes.length * (side + GAP) - GAP];
  const png = await sharp()({ create: { width, height, channels: 3, background: 'white' } })
    .composite(rows.map((row, i) => ({ input: row.png, left: 0, top: i * (side + GAP) })))
    .removeAlpha()
    .png()
    .toBuffer();
  const licence = dataset.licence === '' ? '' : `${dataset.licence}.`; // a folder of one's own has none
  const counts = [`${dataset.train.length} training`, `${dataset.test.length} test`];
  return new Picture({
    title: `${dataset.name}: ${counts.join(' and ')} images of ${dataset.classes.length} classes`,
    caption: [
      `The first ${perClass} of each class in the ${split === 'train' ? 'training' : 'test'} split, ` +
        'in brackets the number of all.',
      licence,
    ]
      .filter(Boolean)
      .join(' '),
    png,
    rows,
  });
}

/** Photographs side by side: each the centre square, scaled. */
async function strip(root: string, samples: readonly Sample[], columns: number, side: number): Promise<Buffer> {
  const tiles = await Promise.all(
    samples.map(({ file }) =>
      sharp()(path.join(root, file))
        .resize(side, side, { fit: 'cover' })
        .toColourspace('srgb')
        .removeAlpha()
        .toBuffer(),
    ),
  );
  return sharp()({ create: { width: columns * (side + GAP) - GAP, height: side, channels: 3, background: 'white' } })
    .composite(tiles.map((input, i) => ({ input, left: i * (side + GAP), top: 0 })))
    .removeAlpha()
    .png()
    .toBuffer();
}
