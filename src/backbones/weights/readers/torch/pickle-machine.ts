// The stack machine of pickles: plain data, and an allow-list of names. It can call nothing else.
import { KitError } from '../../../../base/errors';
import { quoted } from '../../../../base/visible';
import type { MemoryBudget } from '../memory-budget';

/** The bytes of a pickle. Both methods advance, and throw at the end of the bytes. */
export interface ByteSource {
  take(count: number): Buffer;
  /** The text up to the next newline; the newline is skipped. */
  line(): string;
}

/**
 * The values of a pickle. Lists and tuples are arrays. Dicts are maps, so that keys such as `__proto__` are harmless.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | AllowedName
  | Opaque;

/** A value that a function of the allow-list makes, for example a tensor. */
export abstract class Opaque {
  abstract readonly kind: string;
}

/** A name that a pickle may refer to, `module.name`. */
export class AllowedName {
  constructor(
    /** `module.name`, for example `torch.FloatStorage`. */
    readonly name: string,
    /** The value of a call with `args`; without it, a call is refused. It subtracts its memory from `budget`. */
    readonly call?: (args: PickleValue[], budget: MemoryBudget) => PickleValue,
  ) {}
}

/** The names and references that the reader of a file format allows. */
export interface PickleRules {
  /** The allowed name `module.name`; undefined refuses it. */
  nameOf(name: string): AllowedName | undefined;
  /** The value of a persistent id (a reference to data outside the pickle). Without it such ids are refused. */
  persistent?: (id: PickleValue) => PickleValue;
  /** Memory for the values of the pickle. */
  budget: MemoryBudget;
}

/** Bytes of memory that V8 needs for the values of a pickle. */
export const cost = { slot: 16, empty: 32, map: 192, entry: 64, item: 16, characters: 2 } as const;

const MARK = Symbol('mark');
type Slot = PickleValue | typeof MARK;

/** One operation of the stack machine. */
export type Instruction = (machine: Machine, source: ByteSource) => void;

/** The stack, the memo and the rules of one pickle. */
export class Machine {
  stopped = false;
  private readonly memo: PickleValue[] = [];
  private readonly stack: Slot[] = [];
  private readonly budget: MemoryBudget;

  constructor(readonly rules: PickleRules) {
    this.budget = rules.budget;
  }

  /** Pushes a value. @param bytes memory of the value without its entry on the stack. Default 0. */
  push(value: PickleValue, bytes = 0): void {
    this.budget.spend(cost.slot + bytes);
    this.stack.push(value);
  }

  mark(): void {
    this.budget.spend(cost.slot);
    this.stack.push(MARK);
  }

  pop(): PickleValue {
    return value(this.stack.pop());
  }

  top(): PickleValue {
    return value(this.stack[this.stack.length - 1]);
  }

  /** Removes and returns the values above the last mark, in order, and the mark. */
  popToMark(): PickleValue[] {
    const at = this.stack.lastIndexOf(MARK);
    if (at < 0) throw malformed('a mark is missing');
    this.budget.spend(cost.empty + cost.item * (this.stack.length - at));
    const above = this.stack.slice(at + 1) as PickleValue[];
    this.stack.length = at;
    return above;
  }

  /** Stores the top of the stack under `key`. Default: the next free key, counted from 0 as in Python. */
  remember(key = this.memo.length): void {
    if (key > 2 * this.memo.length + 256)
      throw malformed(`memo ${key} is far beyond the ${this.memo.length} before it`);
    this.budget.spend(cost.slot);
    this.memo[key] = this.top();
  }

  recall(key: number): void {
    const kept = this.memo[key];
    if (kept === undefined) throw malformed(`memo ${key} is empty`);
    this.push(kept);
  }

  /** Pushes an allowed name. @throws KitError when it is not allowed. */
  name(module: PickleValue, name: PickleValue): void {
    // Not by String(), which would not end for lists that contain each other.
    if (typeof module !== 'string' || typeof name !== 'string') throw malformed('a name in it is no text');
    const allowed = this.rules.nameOf(`${module}.${name}`);
    if (allowed === undefined) {
      const shown = quoted(`${module}.${name}`).slice(1, -1);
      throw new KitError(
        `The pickle asks for ${shown}, which plain weights do not need: refused, and nothing was executed.`,
        {
          code: 'PICKLE_NAME',
          fix: 'Save the weights alone, as `torch.save(model.state_dict(), path)` does, and do not trust this file.',
        },
      );
    }
    this.push(allowed);
  }

  /** A call of an allowed name with the arguments on the stack. */
  call(): void {
    const args = list(this.pop());
    const callee = this.pop();
    if (!(callee instanceof AllowedName)) throw malformed('something that is not a name is called');
    if (callee.call === undefined) throw malformed(`${callee.name} cannot be called`);
    this.push(callee.call(args, this.budget));
  }

  persistent(id: PickleValue): void {
    if (this.rules.persistent === undefined) throw malformed('it refers to data outside itself');
    this.push(this.rules.persistent(id));
  }

  /** Adds `items`, a key and a value in turn, to the dict `target`. */
  setItems(target: PickleValue, items: PickleValue[]): void {
    if (!(target instanceof Map) || items.length % 2 !== 0)
      throw malformed('items are set on something that is not a dict');
    this.budget.spend((cost.entry * items.length) / 2);
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  }

  /** Adds `items` to the set `target`. */
  addItems(target: PickleValue, items: PickleValue[]): void {
    if (!(target instanceof Set)) throw malformed('items are added to something that is not a set');
    this.budget.spend(cost.entry * items.length);
    for (const item of items) target.add(item);
  }

  /** Adds `items` to the list `target`. */
  append(target: PickleValue, items: PickleValue[]): void {
    const longer = list(target);
    this.budget.spend(cost.item * items.length);
    for (const item of items) longer.push(item);
  }
}

/** The error for bytes that are not a pickle. */
export const malformed = (what: string): KitError =>
  new KitError(`The pickle is not well formed: ${what}.`, {
    code: 'PICKLE_MALFORMED',
    fix: 'Download or save the file again.',
  });

function value(slot: Slot | undefined): PickleValue {
  if (slot === undefined || slot === MARK) throw malformed('its stack is empty');
  return slot;
}

function list(of: PickleValue): PickleValue[] {
  if (!Array.isArray(of)) throw malformed('a list or tuple was expected');
  return of;
}
