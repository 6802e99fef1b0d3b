// ELPV: photographs of solar cells with the probability of a defect; see the manifests `elpv` and `elpv-levels`.
import { KitError } from '../../base/errors';
import type { Sample } from '../dataset';
import { splitByRule } from '../splits';
import type { DatasetReader } from './reader';

const ELPV = 'elpv-dataset/elpv_dataset/data';

/** A line of ELPV's labels. */
interface ElpvCell {
  file: string;
  /** Probability of a defect: 0, 1/3, 2/3 or 1. */
  probability: number;
  type: 'mono' | 'poly';
}

/**
 * ELPV, whose package has no split: the kit's own (see `splitByRule`). `labelOf` gives a cell's label, or null to leave
 * it out.
 */
function elpv(labelOf: (cell: ElpvCell) => number | null): DatasetReader {
  return {
    wants: (file) => /(^|\/)data\/labels\.csv$/.test(file) || /(^|\/)data\/images\/[^/]+\.png$/.test(file),
    async read(tree) {
      const root = tree.before('data/labels.csv');
      const cells = parseElpvLabels((await tree.bytes(`${root}data/labels.csv`)).toString('utf8'));
      const { train, test } = splitByRule(
        cells.flatMap((cell) => {
          const label = labelOf(cell);
          return label === null ? [] : [{ file: `${ELPV}/${cell.file}`, label }];
        }),
      );
      const found = (samples: Sample[]) =>
        samples.map(({ file, label }) => ({ from: `${root}data${file.slice(ELPV.length)}`, file, label }));
      return { train: found(train), test: found(test), classes: null };
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
    if (
      !/^images\/[\w-]+\.png$/.test(file) ||
      !(Math.abs(level - Math.round(level)) < 0.05 && level > -0.1 && level < 3.1) ||
      (type !== 'mono' && type !== 'poly') ||
      more.length > 0
    ) {
      throw new KitError(
        `Line ${index + 1} of ELPV's labels.csv has a wrong form: expected an image's path, ` +
          `0, 1/3, 2/3 or 1, and mono or poly, found ${JSON.stringify(line)}.`,
        { code: 'DATASET_LIST_INVALID' },
      );
    }
    cells.push({ file, probability: Math.round(level) / 3, type });
  }
  return cells;
}

/** Certain cells only: {mono, poly} x {functional, defective}. */
export const elpvCertain = elpv(({ probability, type }) =>
  probability === 0 || probability === 1 ? (type === 'mono' ? 0 : 2) + probability : null,
);

/** All cells, by the four levels of the probability of a defect. */
export const elpvLevels = elpv(({ probability }) => Math.round(probability * 3));
