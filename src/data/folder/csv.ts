// Reads comma-separated values (RFC 4180): quoted values may hold commas, line ends and doubled quotation marks.

/** A row with the number of its first line, from 1. */
export interface CsvRow {
  values: string[];
  line: number;
}

/** The rows that are not empty. `open` makes the error for a quotation mark that does not end. */
export function parseCsv(text: string, open: (line: number) => Error): CsvRow[] {
  const rows: CsvRow[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;
  let line = 1;
  let row: CsvRow = { values: [], line };
  while (pattern.lastIndex < text.length || row.values.length > 0) {
    const match = pattern.exec(text);
    if (match === null) throw open(line);
    const [, inQuotes, plain, end] = match;
    row.values.push(inQuotes === undefined ? plain : inQuotes.replaceAll('""', '"'));
    line += (inQuotes?.match(/\r\n|\n|\r/g)?.length ?? 0) + Number(end !== ',' && end !== '');
    if (end === ',') continue;
    if (row.values.some((value) => value.trim() !== '')) rows.push(row);
    row = { values: [], line };
    if (end === '') break;
  }
  return rows;
}
