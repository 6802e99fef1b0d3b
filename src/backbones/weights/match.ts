// How the tensors of a weights file line up with those of a network: by name, then by shape.
import { KitError } from '../../base/errors';
import { quoted, quotedList } from '../../base/visible';
import { shapeText, type StateDict } from './readers/state-dict';

/** How the tensors of a file were found and named. */
export interface Selection {
  /** The key of a checkpoint under which they lie, for example `state_dict`; empty at the top of the file. */
  key: string;
  /** Other keys of the file that hold as many names of the network. */
  otherKeys: string[];
  /** What every name of the network had before it, for example `module.`: it was removed. */
  prefix: string;
  /** Names without that prefix: they belong to something else than the network, and are left out. */
  outside: string[];
  /** Names of an older version of the network, and their present ones. */
  renamed: { from: string; to: string }[];
  /** Tensors of types that the kit cannot hold: they are left out. */
  unreadable: { name: string; type: string }[];
}

/** How a weights file lines up with a network. */
export interface MatchReport {
  /** Names with the right shape. */
  matched: string[];
  /** Names of the network that the file lacks. */
  missing: string[];
  /** Names in the file that the network does not have. */
  leftOver: string[];
  /** Names in the file that are known to carry nothing that the network needs: counters of batches, for example. */
  ignored: string[];
  wrongShape: { name: string; expected: number[]; found: number[] }[];
  selection: Selection;
}

/**
 * Lines up `found` with the shapes that a network expects, by name.
 * @param ignore names in the file that carry nothing to keep, for example counters of batches.
 */
export function matchStateDict(
  found: StateDict,
  wanted: ReadonlyMap<string, readonly number[]>,
  ignore?: RegExp,
): Omit<MatchReport, 'selection'> {
  const report: Omit<MatchReport, 'selection'> = {
    matched: [],
    missing: [],
    leftOver: [],
    ignored: [],
    wrongShape: [],
  };
  for (const [name, expected] of wanted) {
    const tensor = found.get(name);
    if (tensor === undefined) report.missing.push(name);
    else if (sameShape(tensor.shape, expected)) report.matched.push(name);
    else report.wrongShape.push({ name, expected: [...expected], found: tensor.shape });
  }
  for (const name of found.keys())
    if (!wanted.has(name)) (ignore?.test(name) ? report.ignored : report.leftOver).push(name);
  return report;
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((side, axis) => side === b[axis]);

/** One KitError names everything in `report` that does not fit. @param source the file, for the message. */
export function requireMatch(report: MatchReport, source: string, network: string): void {
  const { matched, missing, leftOver, wrongShape, selection } = report;
  const problems = [
    ...wrongShape
      .slice(0, 12)
      .map((w) => `wrong shape: ${quoted(w.name)} is ${shapeText(w.found)}, expected ${shapeText(w.expected)}`),
    ...(wrongShape.length > 12 ? [`wrong shape: ${wrongShape.length - 12} more`] : []),
    ...listed('missing', missing),
    ...listed('left over', leftOver),
    ...(missing.length > 0
      ? selection.unreadable.slice(0, 12).map(({ name, type }) => `not readable: ${quoted(name)} is ${quoted(type)}`)
      : []),
  ];
  if (problems.length === 0) return;
  const found = `The weights in ${source} do not fit the network ${network} (${matched.length} names fit):`;
  throw new KitError([found, ...problems.map((p) => `  - ${p}`)].join('\n'), {
    code: 'WEIGHTS_MISMATCH',
    fix: 'Give a file of the same architecture with its original parameter names, whole and not a part of it.',
  });
}

/** `kind (count): names`, at most a dozen of them; nothing when there is none. */
const listed = (kind: string, names: string[]): string[] =>
  names.length === 0 ? [] : [`${kind} (${names.length}): ${quotedList(names)}`];
