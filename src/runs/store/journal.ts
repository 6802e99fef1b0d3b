// The journal of a run: what happened to it, when, and in which process; a line of JSON each, only ever appended to.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** What can happen to a run. */
export type JournalEvent = 'started' | 'resumed' | 'checkpoint' | 'notice' | 'stopped' | 'failed' | 'finished';

/** A line of a journal. */
export interface JournalEntry {
  /** ISO 8601, UTC, by the clock of that machine: lines stand in their order even where the clock jumped. */
  at: string;
  event: JournalEvent;
  host: string;
  pid: number;
  /** What the event tells besides; see where it is written. */
  [detail: string]: unknown;
}

/** The journal in the folder of a run. */
export class Journal {
  readonly file: string;

  constructor(folder: string) {
    this.file = path.join(folder, 'journal.jsonl');
  }

  /** Appends a line. Never stops a run: on a full disk the line is lost. */
  write(event: JournalEvent, details: Record<string, unknown> = {}): void {
    const entry: JournalEntry = {
      at: new Date().toISOString(),
      event,
      host: os.hostname(),
      pid: process.pid,
      ...details,
    };
    try {
      fs.mkdirSync(path.dirname(this.file), { recursive: true });
      fs.appendFileSync(this.file, `${this.startsLine() ? '' : '\n'}${JSON.stringify(entry)}\n`);
    } catch {
      // What the journal is for, the run and its record, goes on.
    }
  }

  /** Whether the file is at the beginning of a line: a process that was killed may have left half of one. */
  private startsLine(): boolean {
    if (!fs.existsSync(this.file)) return true;
    const file = fs.openSync(this.file, 'r');
    try {
      const { size } = fs.fstatSync(file);
      const last = Buffer.alloc(1);
      return size === 0 || (fs.readSync(file, last, 0, 1, size - 1) === 1 && last.toString() === '\n');
    } finally {
      fs.closeSync(file);
    }
  }

  /** All whole lines, oldest first; none when there is no journal. */
  read(): JournalEntry[] {
    if (!fs.existsSync(this.file)) return [];
    return fs
      .readFileSync(this.file, 'utf8')
      .split('\n')
      .flatMap((line) => {
        try {
          return [JSON.parse(line) as JournalEntry];
        } catch {
          return []; // the end of a line that a killed process began
        }
      });
  }
}
