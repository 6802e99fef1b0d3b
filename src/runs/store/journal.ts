// The journal of a run: what happened to it, when, and in which process. One line of JSON each, only ever appended to.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { z } from 'zod';
import { withPublicAddresses } from '../../base/address';
import { upgradedSpec } from '../../transfer/spec/older-spec';
import type { RunSpec } from '../../transfer/spec/spec';
import { boundedLines } from './format/bounded-text';
import { journalLine, startedLine } from './format/record-schema';

/** What can happen to a run. */
export type JournalEvent = z.infer<typeof journalLine>['event'];

/** A line of a journal. */
export interface JournalEntry {
  /** ISO 8601, UTC, by the clock of that machine: lines stand in their order even where the clock jumped. */
  at: string;
  event: JournalEvent;
  host: string;
  pid: number;
  /** Further details of the event; see where it is written. */
  [detail: string]: unknown;
}

/** What a journal says of the run it belongs to. */
export interface StartedRun {
  spec: RunSpec;
  dataset: {
    name: string;
    hash: string;
    /** Path of the folder, or name in the catalog. */
    from: string;
  };
}

/** Bytes of a journal that are read; of a longer one its beginning and its end. */
const MOST_READ = 16e6;

/** The journal in the folder of a run. */
export class Journal {
  readonly file: string;

  constructor(folder: string) {
    this.file = path.join(folder, 'journal.jsonl');
  }

  /**
   * Appends a line. Never stops a run: on a full disk the line is lost. Secrets of addresses in texts are left out.
   */
  write(event: JournalEvent, details: Record<string, unknown> = {}): void {
    const entry: JournalEntry = {
      at: new Date().toISOString(),
      event,
      host: os.hostname(),
      pid: process.pid,
      ...details,
    };
    const text = JSON.stringify(entry, (_, value: unknown) =>
      typeof value === 'string' && value.includes('://') ? withPublicAddresses(value) : value,
    );
    try {
      fs.mkdirSync(path.dirname(this.file), { recursive: true });
      fs.appendFileSync(this.file, `${this.startsLine() ? '' : '\n'}${text}\n`);
    } catch {
      // The run and its record do not depend on the journal.
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

  /**
   * All lines of the form of a journal's, oldest first; none when there is no journal. Other lines (cut by a killed
   * process, or of a newer kit) are left out.
   * @throws KitError STORE_FILE_REFUSED when it is not a regular file.
   */
  read(): JournalEntry[] {
    return boundedLines(this.file, MOST_READ).flatMap((line) => {
      try {
        const entry: unknown = JSON.parse(line);
        return journalLine.safeParse(entry).success ? [entry as JournalEntry] : [];
      } catch {
        return [];
      }
    });
  }

  /** Spec and data set as the line `started` says them; null where no line does. @throws as `read`. */
  started(): StartedRun | null {
    const line = this.read().find(({ event }) => event === 'started');
    const found = startedLine.safeParse(line && { ...line, spec: translated(line.spec) });
    return found.success ? (found.data as unknown as StartedRun) : null;
  }
}

/** A spec of an older kit in the form of today; anything else as it is. */
function translated(spec: unknown): unknown {
  try {
    return upgradedSpec({ ...(spec as object) });
  } catch {
    return spec;
  }
}
