// The methods of the tables: names for parts of a spec. A new one is one record in this list.
import stableStringify from 'safe-stable-stringify';
import { unknownName } from '../engine/errors';
import { presetSource, rifle, riflePresets } from './rifle';
import type { RegularizerSpec, RifleSpec, RunSpec, RunSpecInput } from './spec';

/** A method by name: the part of a spec that it decides. */
export interface Method {
  name: string;
  title: string;
  /** Where its hyper-parameters come from. */
  source: string;
  regularizer: RegularizerSpec;
  rifle: RifleSpec | null;
}

const L2: RegularizerSpec = { name: 'l2' };
const L2_SP: RegularizerSpec = { name: 'l2-sp', alpha: 0.01, beta: 1e-4 };
const AUTHORS = 'lixingjian/RIFLE, train.py and run.sh (commit ba10be2)';

const ALL: readonly Method[] = [
  { name: 'fine-tuning', title: 'Fine-tuning (L2)', source: AUTHORS, regularizer: L2, rifle: null },
  { name: 'rifle', title: 'RIFLE (L2)', source: AUTHORS, regularizer: L2, rifle: rifle('authors') },
  { name: 'l2-sp', title: 'L2-SP', source: AUTHORS, regularizer: L2_SP, rifle: null },
  { name: 'l2-sp+rifle', title: 'RIFLE (L2-SP)', source: AUTHORS, regularizer: L2_SP, rifle: rifle('authors') },
  ...riflePresets
    .filter((preset) => preset !== 'authors')
    .map((preset) => ({ name: `rifle:${preset}`, title: `RIFLE, variant ${preset}`, source: presetSource(preset), regularizer: L2, rifle: rifle(preset) })),
];

/** The methods that the tables compare. */
export const methods = {
  /** All of them, in the order of the tables. */
  list: (): readonly Method[] => ALL,

  /** @throws KitError with the near names for one that is not known. */
  get(name: string): Method {
    const method = ALL.find((candidate) => candidate.name === name);
    if (method === undefined) throw unknownName('method', name, ALL.map((m) => m.name));
    return method;
  },

  /** `spec` with what the method decides. */
  apply(name: string, spec: RunSpecInput): RunSpecInput {
    const { regularizer, rifle: choices } = methods.get(name);
    return { ...spec, regularizer, rifle: choices };
  },

  /** The name under which a run of `spec` stands in the tables: that of the method in the list, else one made of its parts. */
  nameOf({ regularizer, rifle: choices }: Pick<RunSpec, 'regularizer' | 'rifle'>): string {
    const decided = (parts: Pick<RunSpec, 'regularizer' | 'rifle'>) => stableStringify([parts.regularizer, parts.rifle]);
    const known = ALL.find((method) => decided(method) === decided({ regularizer, rifle: choices }));
    if (known !== undefined) return known.name;
    const parts = regularizer.name === 'l2' ? [] : [`${regularizer.name}:custom`];
    if (choices !== null) parts.push(`rifle:${choices.preset === 'authors' ? 'custom' : choices.preset}`);
    return parts.join('+');
  },
};
