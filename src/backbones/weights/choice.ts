// Which tensors of a weights file are a network's: under which key of a checkpoint, and behind which prefix.
import { KitError } from '../../base/errors';
import { quoted, quotedList } from '../../base/visible';
import { byPreference, tensorsUnder, type ChooseTensors, type NamedTensors } from './readers/named-tensors';

/** The names of a network, as weights files have them. */
export interface ExpectedNames {
  names: readonly string[];
  /** How many of the network's names are among `names`, older names included. */
  fitting(names: readonly string[]): number;
}

/** The user's choice, in the fragment of a path or address: `#key=state_dict_ema&prefix=encoder.`. */
export interface WeightsChoice {
  key?: string;
  prefix?: string;
}

/** Prefixes that wrappers of PyTorch put before every name: DataParallel, and torch.compile. */
const wrappers = ['module.', '_orig_mod.'];

/** Names of the network that are looked for at the end of the file's names. */
const sampled = 16;

/** Prefixes that are compared. */
const mostPrefixes = 8;

/** Sets of tensors that are compared. */
const mostSets = 32;

/** The user's choice in a fragment. @throws KitError unless it is `key`, `prefix`, or (of an address) `sha256`. */
export function splitChoice(fragment: string): WeightsChoice & { sha256?: string } {
  const choice: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(fragment)) {
    if (!['key', 'prefix', 'sha256'].includes(name) || Object.hasOwn(choice, name))
      throw new KitError(`The part ${quoted(`#${fragment}`)} of the weights says ${quoted(name)}, or says it twice.`, {
        code: 'WEIGHTS_CHOICE',
        fix: 'Write FILE#key=KEY, FILE#prefix=PREFIX, or both joined by "&".',
      });
    choice[name] = value;
  }
  return choice;
}

/** The choice as text, for hashes: empty when the user made none. */
export const choiceText = ({ key, prefix }: WeightsChoice): string =>
  (key === undefined ? '' : `#key=${key}`) + (prefix === undefined ? '' : `#prefix=${prefix}`);

/** Removes the wrappers' prefixes that all of `names` share. */
export function sharedWrapper(names: readonly string[]): string {
  for (let prefix = ''; ;) {
    const next = wrappers.find((wrapper) => names.every((name) => name.startsWith(prefix + wrapper)));
    if (next === undefined || names.length === 0) return prefix;
    prefix += next;
  }
}

/** Prefixes before names of the network in `names`, the most frequent first; the empty one is among them. */
function prefixesIn(names: readonly string[], expected: ExpectedNames): string[] {
  const step = Math.max(1, Math.floor(expected.names.length / sampled));
  const sample = expected.names.filter((_, i) => i % step === 0).slice(0, sampled);
  const counts = new Map<string, number>();
  for (const name of names) {
    for (const wanted of sample) {
      if (!name.endsWith(wanted) || name.length === wanted.length) continue;
      const prefix = name.slice(0, -wanted.length);
      if (/[./]$/.test(prefix)) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  }
  const frequent = [...counts].sort((a, b) => b[1] - a[1]).slice(0, mostPrefixes);
  return ['', ...frequent.map(([prefix]) => prefix)];
}

/** The names behind `prefix`, without it. */
const behind = (names: readonly string[], prefix: string): string[] =>
  names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));

/**
 * The prefix behind which most of the network's names lie; the empty one where it does as well.
 * @throws KitError when two prefixes do equally well: a student and a teacher, for example.
 */
export function choosePrefix(names: readonly string[], expected: ExpectedNames): string {
  const ranked = prefixesIn(names, expected).map((prefix) => ({
    prefix,
    fit: expected.fitting(behind(names, prefix)),
  }));
  const best = Math.max(...ranked.map(({ fit }) => fit));
  const equal = ranked.filter(({ fit }) => fit === best);
  if (equal.length === 1 || equal[0].prefix === '') return equal[0].prefix;
  throw new KitError(
    `The network's names lie in it behind several prefixes: ${quotedList(equal.map(({ prefix }) => prefix))}.`,
    { code: 'WEIGHTS_PREFIX_AMBIGUOUS', fix: 'Choose one: write FILE#prefix=PREFIX for the path of the weights.' },
  );
}

/** The chosen set of tensors, and the keys of those that hold as many of the network's names. */
export interface ChosenTensors {
  choose: ChooseTensors;
  /** Known after `choose` was called. */
  chosen(): { key: string; otherKeys: string[] };
}

/** Chooses the set of tensors with most of the network's names; of equals, the usual one: weights before averages. */
export function chooseTensors(expected: ExpectedNames, { key, prefix }: WeightsChoice): ChosenTensors {
  let result = { key: '', otherKeys: [] as string[] };
  const fitOf = ({ shapes }: NamedTensors): number => {
    const names = [...shapes.keys()];
    const prefixes = prefix === undefined ? prefixesIn(names, expected) : [prefix];
    return Math.max(...prefixes.map((each) => expected.fitting(behind(names, each))));
  };
  return {
    choose: (found) => {
      if (key !== undefined) {
        result = { key, otherKeys: [] };
        return tensorsUnder(key)(found);
      }
      const ranked = byPreference(found).slice(0, mostSets);
      const fits = ranked.map(fitOf);
      const best = Math.max(...fits);
      const equal = ranked.filter((_, i) => fits[i] === best);
      result = { key: equal[0].key, otherKeys: best === 0 ? [] : equal.slice(1).map((each) => each.key) };
      return equal[0];
    },
    chosen: () => result,
  };
}
