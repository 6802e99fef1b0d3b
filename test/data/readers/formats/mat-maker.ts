// Writes small MAT-files of version 5 for tests, as MATLAB and SciPy lay them out.

/** One element of a matrix's content. */
type Part = { type: number; bytes: Buffer };

/** A value to write. */
export type Made = (name: string, big: boolean) => Buffer;

function tagged({ type, bytes }: Part, big: boolean): Buffer {
  const tag = Buffer.alloc(8);
  tag[big ? 'writeUInt32BE' : 'writeUInt32LE'](type, 0);
  tag[big ? 'writeUInt32BE' : 'writeUInt32LE'](bytes.length, 4);
  return Buffer.concat([tag, bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
}

function int32(values: number[], big: boolean): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes[big ? 'writeInt32BE' : 'writeInt32LE'](value, i * 4));
  return bytes;
}

function matrix(kind: number, dims: number[], name: string, big: boolean, parts: Buffer[]): Buffer {
  const head = [
    { type: 6, bytes: int32([kind, 0], big) },
    { type: 5, bytes: int32(dims, big) },
    { type: 1, bytes: Buffer.from(name, 'latin1') },
  ].map((part) => tagged(part, big));
  return tagged({ type: 14, bytes: Buffer.concat([...head, ...parts]) }, big);
}

/** A row of numbers, as float64. */
export const numbers =
  (values: number[]): Made =>
  (name, big) => {
    const bytes = Buffer.alloc(values.length * 8);
    values.forEach((value, i) => bytes[big ? 'writeDoubleBE' : 'writeDoubleLE'](value, i * 8));
    return matrix(6, [1, values.length], name, big, [tagged({ type: 9, bytes }, big)]);
  };

/** One text. */
export const text =
  (value: string): Made =>
  (name, big) => {
    const bytes = Buffer.alloc(value.length * 2);
    [...value].forEach((character, i) =>
      bytes[big ? 'writeUInt16BE' : 'writeUInt16LE'](character.charCodeAt(0), i * 2),
    );
    return matrix(4, [1, value.length], name, big, [tagged({ type: 4, bytes }, big)]);
  };

/** A column of cells. */
export const cells =
  (values: Made[]): Made =>
  (name, big) =>
    matrix(
      1,
      [values.length, 1],
      name,
      big,
      values.map((value) => value('', big)),
    );

/** A row of structs with the same fields. */
export const structs =
  (rows: Record<string, Made>[]): Made =>
  (name, big) => {
    const fields = Object.keys(rows[0]);
    const names = Buffer.concat(fields.map((field) => Buffer.from(field.padEnd(32, '\0'), 'latin1')));
    const head = [tagged({ type: 5, bytes: int32([32], big) }, big), tagged({ type: 1, bytes: names }, big)];
    return matrix(2, [1, rows.length], name, big, [
      ...head,
      ...rows.flatMap((row) => fields.map((field) => row[field]('', big))),
    ]);
  };

/** The file that holds these variables. */
export function makeMat(variables: Record<string, Made>, { big = false }: { big?: boolean } = {}): Buffer {
  const header = Buffer.alloc(128, ' ');
  header.write('MATLAB 5.0 MAT-file, by mat-maker.ts', 0, 'latin1');
  header.fill(0, 116, 124);
  header.write(big ? '\x01\x00MI' : '\x00\x01IM', 124, 'latin1');
  return Buffer.concat([header, ...Object.entries(variables).map(([name, value]) => value(name, big))]);
}
