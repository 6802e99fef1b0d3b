// Finds images and labels in the unpacked files of a package: one reader per kind of package.
import fsp from 'node:fs/promises';
import path from 'node:path';
import { KitError } from '../engine/errors';
import { splitByRule, type Sample } from './dataset';

/** Knows one package's layout. Paths are `<package name>/<path in the archive>`, with forward slashes. */
export interface DatasetReader {
  /** Whether a file of the package is needed. */
  wants(file: string): boolean;
  /** The samples of both splits, with files relative to `folder`, which holds the unpacked files. */
  read(folder: string): Promise<{ train: Sample[]; test: Sample[] }>;
}

const ELPV = 'elpv-dataset/elpv_dataset/data';

/** A line of ELPV's labels. */
interface ElpvCell {
  file: string;
  /** Probability of a defect: 0, 1/3, 2/3 or 1. */
  probability: number;
  type: 'mono' | 'poly';
}

/** ELPV, whose package has no split: the kit's own (see `splitByRule`). `labelOf` gives a cell's label, or null to leave it out. */
function elpv(labelOf: (cell: ElpvCell) => number | null): DatasetReader {
  return {
    wants: (file) => file === `${ELPV}/labels.csv` || (file.startsWith(`${ELPV}/images/`) && file.endsWith('.png')),
    async read(folder) {
      const cells = parseElpvLabels(await fsp.readFile(path.join(folder, ELPV, 'labels.csv'), 'utf8'));
      return splitByRule(
        cells.flatMap((cell) => {
          const label = labelOf(cell);
          return label === null ? [] : [{ file: `${ELPV}/${cell.file}`, label }];
        }),
      );
    },
  };
}

/**
 * The lines of ELPV's labels.csv: path, probability and type, apart by blanks (or commas).
 * @throws KitError that names a line that is something else.
 */
export function parseElpvLabels(text: string): ElpvCell[] {
  const cells: ElpvCell[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const [file, probability, type, ...more] = line.trim().split(/\s*,\s*|\s+/);
    const level = Number(probability) * 3;
    if (!/^images\/[\w-]+\.png$/.test(file) || !(Math.abs(level - Math.round(level)) < 0.05 && level > -0.1 && level < 3.1) || (type !== 'mono' && type !== 'poly') || more.length > 0) {
      throw new KitError(`Line ${index + 1} of ELPV's labels.csv is not understood: expected an image's path, 0, 1/3, 2/3 or 1, and mono or poly, found ${JSON.stringify(line)}.`);
    }
    cells.push({ file, probability: Math.round(level) / 3, type });
  }
  return cells;
}

/** The readers, by the name that a manifest gives. */
export const readers: Readonly<Record<string, DatasetReader>> = {
  /** Certain cells only: {mono, poly} x {functional, defective}. */
  'elpv-certain': elpv(({ probability, type }) =>
    probability === 0 || probability === 1 ? (type === 'mono' ? 0 : 2) + probability : null,
  ),
  /** All cells, by the four levels of the probability of a defect. */
  'elpv-levels': elpv(({ probability }) => Math.round(probability * 3)),
};
