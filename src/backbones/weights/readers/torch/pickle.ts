// Reads Python pickles as plain data: a stack machine that knows an allow-list of names and can call nothing else.
import { KitError } from '../../../../base/errors';

/** Where a pickle's bytes come from. Both methods advance, and throw where the bytes end. */
export interface ByteSource {
  take(count: number): Buffer;
  /** The text up to the next newline, which is consumed and left out. */
  line(): string;
}

/**
 * What a pickle can hold here. Lists and tuples are arrays, dicts are maps, so that no key can mean more than a key.
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

/** A value that the owner of the allow-list makes and understands, for example a tensor. */
export abstract class Opaque {
  abstract readonly kind: string;
}

/** A name that a pickle may refer to, `module.name`. */
export class AllowedName {
  constructor(
    /** `module.name`, for example `torch.FloatStorage`. */
    readonly name: string,
    /** What a call of it means; without one, calling it is refused. */
    readonly call?: (args: PickleValue[]) => PickleValue,
  ) {}
}

/** What the reader of one file format allows. */
export interface PickleRules {
  /** By `module.name`. Whatever is not here is refused before anything is made of it. */
  names: ReadonlyMap<string, AllowedName>;
  /** What a persistent id (a reference to data outside the pickle) stands for. Without it such ids are refused. */
  persistent?: (id: PickleValue) => PickleValue;
}

/**
 * Most values that one pickle may make: a state dict makes some 40 for each tensor. A pickle of one-byte opcodes could
 * fill the memory otherwise.
 */
const mostValues = 1_000_000;

const MARK = Symbol('mark');
type Slot = PickleValue | typeof MARK;
type Instruction = (machine: Machine, source: ByteSource) => void;

/**
 * Reads one pickle (protocols 2 to 5, without the opcodes that make arbitrary objects) and leaves `source` just after
 * it.
 * Nothing in the pickle is executed: it can name only what `rules` allow.
 * @throws KitError on a name that is not allowed, an opcode that is not data, or bytes that are no pickle.
 */
export function readPickle(source: ByteSource, rules: PickleRules): PickleValue {
  const machine = new Machine(rules);
  while (!machine.stopped) {
    const code = source.take(1)[0];
    const instruction = instructions.get(code);
    if (instruction === undefined) {
      throw new KitError(
        `Opcode 0x${code.toString(16).padStart(2, '0')} of the pickle is not one that plain weights need.`,
        {
          fix: 'Save the weights alone, as `torch.save(model.state_dict(), path)` does.',
        },
      );
    }
    instruction(machine, source);
  }
  return machine.pop();
}

/** The stack, the memo and the rules of one pickle. */
class Machine {
  stopped = false;
  readonly memo = new Map<number, Slot>();
  private readonly stack: Slot[] = [];
  private made = 0;

  constructor(readonly rules: PickleRules) {}

  push(value: Slot): void {
    if (++this.made > mostValues) throw malformed(`it makes more than ${mostValues} values`);
    this.stack.push(value);
  }

  pop(): PickleValue {
    return value(this.stack.pop());
  }

  top(): PickleValue {
    return value(this.stack[this.stack.length - 1]);
  }

  /** What lies above the last mark, in order; the mark goes too. */
  popToMark(): PickleValue[] {
    const at = this.stack.lastIndexOf(MARK);
    if (at < 0) throw malformed('a mark is missing');
    return this.stack.splice(at).slice(1).map(value);
  }

  remember(key: number): void {
    this.memo.set(key, this.top());
  }

  recall(key: number): void {
    const slot = this.memo.get(key);
    if (slot === undefined) throw malformed(`memo ${key} is empty`);
    this.push(slot);
  }

  name(module: PickleValue, name: PickleValue): void {
    // Not by String(): of lists that hold each other that could be endless.
    if (typeof module !== 'string' || typeof name !== 'string') throw malformed('a name that it asks for is no text');
    const allowed = this.rules.names.get(`${module}.${name}`);
    if (allowed === undefined) {
      throw new KitError(
        `The pickle asks for ${module}.${name}, which plain weights do not need: refused, and nothing was executed.`,
        {
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
    if (!(callee instanceof AllowedName) || callee.call === undefined) {
      throw malformed(
        callee instanceof AllowedName ? `${callee.name} cannot be called` : 'something that is not a name is called',
      );
    }
    this.push(callee.call(args));
  }

  persistent(id: PickleValue): void {
    if (this.rules.persistent === undefined) throw malformed('it refers to data outside itself');
    this.push(this.rules.persistent(id));
  }
}

const malformed = (what: string): KitError =>
  new KitError(`The pickle is not well formed: ${what}.`, { fix: 'Fetch or save the file again.' });

function value(slot: Slot | undefined): PickleValue {
  if (slot === undefined || slot === MARK) throw malformed('its stack is empty');
  return slot;
}

function list(of: PickleValue): PickleValue[] {
  if (!Array.isArray(of)) throw malformed('a list or tuple was expected');
  return of;
}

function setItems(target: PickleValue, items: PickleValue[]): void {
  if (!(target instanceof Map) || items.length % 2 !== 0)
    throw malformed('items are set on something that is not a dict');
  for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
}

function setFrom(items: PickleValue[], target: PickleValue = new Set<PickleValue>()): PickleValue {
  if (!(target instanceof Set)) throw malformed('items are added to something that is not a set');
  for (const item of items) target.add(item);
  return target;
}

function append(target: PickleValue, items: PickleValue[]): void {
  const longer = list(target);
  for (const item of items) longer.push(item);
}

const pop2 = (m: Machine): [PickleValue, PickleValue] => [m.pop(), m.pop()];

/** A little-endian two's complement integer: a number where that is exact, else a bigint. */
function integer(bytes: Buffer): number | bigint {
  const hex = Buffer.from(bytes).reverse().toString('hex');
  const exact = BigInt.asIntN(8 * bytes.length, hex === '' ? 0n : BigInt(`0x${hex}`));
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}

const u8 = (s: ByteSource): number => s.take(1)[0];
const u16 = (s: ByteSource): number => s.take(2).readUInt16LE();
const i32 = (s: ByteSource): number => s.take(4).readInt32LE();
const u32 = (s: ByteSource): number => s.take(4).readUInt32LE();
const u64 = (s: ByteSource): number => Number(s.take(8).readBigUInt64LE());
const text = (bytes: Buffer): string => bytes.toString('utf8');
const bytes = (taken: Buffer): Uint8Array => Uint8Array.from(taken);

const push =
  (read: (s: ByteSource, m: Machine) => Slot): Instruction =>
  (m, s) =>
    m.push(read(s, m));

/** Every opcode that is understood. Numbers and meanings: CPython's Lib/pickletools.py. */
const instructions = new Map<number, Instruction>([
  // protocol
  [0x80, (_, s) => void u8(s)], // PROTO
  [0x95, (_, s) => void u64(s)], // FRAME
  [0x2e, (m) => void (m.stopped = true)], // STOP
  // the stack and the memo
  [0x28, push(() => MARK)], // MARK
  [0x30, (m) => void m.pop()], // POP
  [0x31, (m) => void m.popToMark()], // POP_MARK
  [0x32, push((_, m) => m.top())], // DUP
  [0x71, (m, s) => m.remember(u8(s))], // BINPUT
  [0x72, (m, s) => m.remember(u32(s))], // LONG_BINPUT
  [0x94, (m) => m.remember(m.memo.size)], // MEMOIZE
  [0x68, (m, s) => m.recall(u8(s))], // BINGET
  [0x6a, (m, s) => m.recall(u32(s))], // LONG_BINGET
  // single values
  [0x4e, push(() => null)], // NONE
  [0x88, push(() => true)], // NEWTRUE
  [0x89, push(() => false)], // NEWFALSE
  [0x4b, push(u8)], // BININT1
  [0x4d, push(u16)], // BININT2
  [0x4a, push(i32)], // BININT
  [0x8a, push((s) => integer(s.take(u8(s))))], // LONG1
  [0x47, push((s) => s.take(8).readDoubleBE())], // BINFLOAT
  [0x8c, push((s) => text(s.take(u8(s))))], // SHORT_BINUNICODE
  [0x58, push((s) => text(s.take(u32(s))))], // BINUNICODE
  [0x8d, push((s) => text(s.take(u64(s))))], // BINUNICODE8
  [0x55, push((s) => text(s.take(u8(s))))], // SHORT_BINSTRING
  [0x54, push((s) => text(s.take(u32(s))))], // BINSTRING
  [0x43, push((s) => bytes(s.take(u8(s))))], // SHORT_BINBYTES
  [0x42, push((s) => bytes(s.take(u32(s))))], // BINBYTES
  [0x8e, push((s) => bytes(s.take(u64(s))))], // BINBYTES8
  // collections
  [0x5d, push(() => [])], // EMPTY_LIST
  [0x6c, push((_, m) => m.popToMark())], // LIST
  [
    0x61,
    (m) => {
      const item = m.pop();
      append(m.top(), [item]);
    },
  ], // APPEND
  [
    0x65,
    (m) => {
      const items = m.popToMark();
      append(m.top(), items);
    },
  ], // APPENDS
  [0x29, push(() => [])], // EMPTY_TUPLE
  [0x74, push((_, m) => m.popToMark())], // TUPLE
  [0x85, push((_, m) => [m.pop()])], // TUPLE1
  [0x86, push((_, m) => pop2(m).reverse())], // TUPLE2
  [0x87, push((_, m) => [...pop2(m), m.pop()].reverse())], // TUPLE3
  [0x7d, push(() => new Map())], // EMPTY_DICT
  [
    0x64,
    (m) => {
      const items = m.popToMark();
      const made = new Map();
      setItems(made, items);
      m.push(made);
    },
  ], // DICT
  [
    0x73,
    (m) => {
      const [item, key] = pop2(m);
      setItems(m.top(), [key, item]);
    },
  ], // SETITEM
  [
    0x75,
    (m) => {
      const items = m.popToMark();
      setItems(m.top(), items);
    },
  ], // SETITEMS
  [0x8f, push(() => new Set<PickleValue>())], // EMPTY_SET
  [
    0x90,
    (m) => {
      const items = m.popToMark();
      setFrom(items, m.top());
    },
  ], // ADDITEMS
  [0x91, push((_, m) => setFrom(m.popToMark()))], // FROZENSET
  // names, calls of allowed names, references outside
  [0x63, (m, s) => m.name(s.line(), s.line())], // GLOBAL
  [
    0x93,
    (m) => {
      const [name, module] = pop2(m);
      m.name(module, name);
    },
  ], // STACK_GLOBAL
  [0x52, (m) => m.call()], // REDUCE
  [0x81, (m) => m.call()], // NEWOBJ
  [0x62, (m) => void m.pop()], // BUILD: attributes of an object, here only notes such as OrderedDict's _metadata
  [0x51, (m) => m.persistent(m.pop())], // BINPERSID
]);
