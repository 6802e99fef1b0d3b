import assert from 'node:assert/strict';
import { parseCsv } from '../../../src/data/folder/csv';

/** The rows, each with its first line. */
const rows = (text: string): [number, ...string[]][] =>
  parseCsv(text, (line) => new Error(`open quotation mark in line ${line}`)).map(({ line, values }) => [
    line,
    ...values,
  ]);

describe('parseCsv', () => {
  // The examples of RFC 4180, section 2.
  it('reads lines with and without a line end after the last one', () => {
    assert.deepEqual(rows('aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n'), [
      [1, 'aaa', 'bbb', 'ccc'],
      [2, 'zzz', 'yyy', 'xxx'],
    ]);
    assert.deepEqual(rows('aaa,bbb,ccc\nzzz,yyy,xxx'), rows('aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n'));
  });

  it('reads quoted values with commas, line ends and doubled quotation marks', () => {
    assert.deepEqual(rows('"aaa","b\r\nbb","ccc"\r\nzzz,yyy,xxx'), [
      [1, 'aaa', 'b\r\nbb', 'ccc'],
      [3, 'zzz', 'yyy', 'xxx'],
    ]);
    assert.deepEqual(rows('"aaa","b""bb","c,cc"'), [[1, 'aaa', 'b"bb', 'c,cc']]);
  });

  it('keeps spaces and empty values, and leaves out empty rows', () => {
    assert.deepEqual(rows('a, b,\n\n ,\nc,,d'), [
      [1, 'a', ' b', ''],
      [4, 'c', '', 'd'],
    ]);
    assert.deepEqual(rows(''), []);
  });

  it('names the line of a quotation mark that does not end', () => {
    assert.throws(() => rows('a,b\nc,"d\ne'), { message: 'open quotation mark in line 2' });
    assert.throws(() => rows('a,b"c'), { message: 'open quotation mark in line 1' });
  });
});
