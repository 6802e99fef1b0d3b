// The opcodes of pickles that hold plain data, each as an operation of the stack machine.
import { cost, type ByteSource, type Instruction, type Machine, type PickleValue } from './pickle-machine';

/** A little-endian two's complement integer: a number if that is exact, otherwise a bigint. */
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

/** Pushes a value without memory of its own. */
const push =
  (read: (s: ByteSource) => PickleValue): Instruction =>
  (m, s) =>
    m.push(read(s));

/** Pushes a new empty collection. */
const empty =
  (make: () => PickleValue, bytes: number): Instruction =>
  (m) =>
    m.push(make(), bytes);

/** Pushes a text; `size` reads its length. */
const text =
  (size: (s: ByteSource) => number): Instruction =>
  (m, s) => {
    const bytes = s.take(size(s));
    m.push(bytes.toString('utf8'), cost.empty + cost.characters * bytes.length);
  };

/** Pushes bytes; `size` reads their number. */
const bytes =
  (size: (s: ByteSource) => number): Instruction =>
  (m, s) => {
    const taken = s.take(size(s));
    m.push(Uint8Array.from(taken), cost.map + taken.length);
  };

/** Pushes a tuple of the `count` topmost values. */
const tuple =
  (count: number): Instruction =>
  (m) => {
    const items = Array.from({ length: count }, () => m.pop()).reverse();
    m.push(items, cost.empty + cost.item * count);
  };

/** Adds the values above the last mark to the collection below it. */
const extend =
  (add: (m: Machine, target: PickleValue, items: PickleValue[]) => void): Instruction =>
  (m) => {
    const items = m.popToMark();
    add(m, m.top(), items);
  };

/** By opcode, numbers and meanings of CPython's Lib/pickletools.py. Every other opcode is refused. */
export const instructions: Readonly<Partial<Record<number, Instruction>>> = {
  // protocol
  0x80: (_, s) => void u8(s), // PROTO
  0x95: (_, s) => void u64(s), // FRAME
  0x2e: (m) => void (m.stopped = true), // STOP
  // the stack and the memo
  0x28: (m) => m.mark(), // MARK
  0x30: (m) => void m.pop(), // POP
  0x31: (m) => void m.popToMark(), // POP_MARK
  0x32: (m) => m.push(m.top()), // DUP
  0x71: (m, s) => m.remember(u8(s)), // BINPUT
  0x72: (m, s) => m.remember(u32(s)), // LONG_BINPUT
  0x94: (m) => m.remember(), // MEMOIZE
  0x68: (m, s) => m.recall(u8(s)), // BINGET
  0x6a: (m, s) => m.recall(u32(s)), // LONG_BINGET
  // single values
  0x4e: push(() => null), // NONE
  0x88: push(() => true), // NEWTRUE
  0x89: push(() => false), // NEWFALSE
  0x4b: push(u8), // BININT1
  0x4d: push(u16), // BININT2
  0x4a: push(i32), // BININT
  0x8a: push((s) => integer(s.take(u8(s)))), // LONG1
  0x47: push((s) => s.take(8).readDoubleBE()), // BINFLOAT
  0x8c: text(u8), // SHORT_BINUNICODE
  0x58: text(u32), // BINUNICODE
  0x8d: text(u64), // BINUNICODE8
  0x55: text(u8), // SHORT_BINSTRING
  0x54: text(u32), // BINSTRING
  0x43: bytes(u8), // SHORT_BINBYTES
  0x42: bytes(u32), // BINBYTES
  0x8e: bytes(u64), // BINBYTES8
  // collections
  0x5d: empty(() => [], cost.empty), // EMPTY_LIST
  0x6c: (m) => m.push(m.popToMark()), // LIST
  // APPEND
  0x61: (m) => {
    const item = m.pop();
    m.append(m.top(), [item]);
  },
  0x65: extend((m, target, items) => m.append(target, items)), // APPENDS
  0x29: tuple(0), // EMPTY_TUPLE
  0x74: (m) => m.push(m.popToMark()), // TUPLE
  0x85: tuple(1), // TUPLE1
  0x86: tuple(2), // TUPLE2
  0x87: tuple(3), // TUPLE3
  0x7d: empty(() => new Map(), cost.map), // EMPTY_DICT
  // DICT
  0x64: (m) => {
    const [items, made] = [m.popToMark(), new Map<PickleValue, PickleValue>()];
    m.setItems(made, items);
    m.push(made, cost.map);
  },
  // SETITEM
  0x73: (m) => {
    const [item, key] = [m.pop(), m.pop()];
    m.setItems(m.top(), [key, item]);
  },
  0x75: extend((m, target, items) => m.setItems(target, items)), // SETITEMS
  0x8f: empty(() => new Set(), cost.map), // EMPTY_SET
  0x90: extend((m, target, items) => m.addItems(target, items)), // ADDITEMS
  // FROZENSET
  0x91: (m) => {
    const [items, made] = [m.popToMark(), new Set<PickleValue>()];
    m.addItems(made, items);
    m.push(made, cost.map);
  },
  // names, calls of allowed names, persistent ids
  0x63: (m, s) => m.name(s.line(), s.line()), // GLOBAL
  // STACK_GLOBAL
  0x93: (m) => {
    const [name, module] = [m.pop(), m.pop()];
    m.name(module, name);
  },
  0x52: (m) => m.call(), // REDUCE
  0x81: (m) => m.call(), // NEWOBJ
  0x62: (m) => void m.pop(), // BUILD: attributes of an object; here only notes such as OrderedDict's _metadata
  0x51: (m) => m.persistent(m.pop()), // BINPERSID
};
