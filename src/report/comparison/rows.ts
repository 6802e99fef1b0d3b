// A table of results before its numbers: which lines it has, what each compares, and how they are laid out.
import type { Column, Row } from '../table/cells';
import type { Comparison } from './comparison';
import type { MethodRuns } from './grouping';
import type { Place, PlannedRun } from './columns';
import type { ReportedValue } from './reported';

/** What every table of results takes. */
export interface StudyTableOptions {
  title?: string;
  /**
   * Name of the scale at which the runs were made; shown in the caption, and in the command for runs that are missing.
   */
  scale?: string;
  /** Sentences for the caption, for example how hyper-parameters were chosen. */
  notes?: readonly string[];
  /**
   * Runs that should exist, for example a study's specs: their data sets and backbones get rows also without runs, and
   * runs there under other settings none.
   */
  planned?: readonly PlannedRun[];
  /** Default: `readReported()`. */
  reported?: readonly ReportedValue[];
}

/** A row before its numbers. */
export interface Line {
  place: Place;
  /** Block of rows within a place. */
  section?: string;
  /** What the row is called. */
  label: string;
  /** Whose accuracy the row shows. */
  shown: MethodRuns;
  comparison: Comparison | null;
  /** Whether the comparison tests a claim, so that it gets a verdict. */
  isClaim: boolean;
  /** Cells of the table's own columns. */
  extra?: Row;
}

/** What a table of lines is. */
export interface ComparisonPlan {
  id: string;
  title: string;
  lines: readonly Line[];
  /**
   * `methods`: a row shows a method and its difference to another. `pairs`: a row shows both sides. `rivals`: a row
   * shows a method, and how much the treated one is above it.
   */
  layout: 'methods' | 'pairs' | 'rivals';
  /** Heading of the rows' labels; `null`: the place says it all. */
  labelTitle: string | null;
  /** Heading of the difference, as long as one control serves all rows. */
  differenceTitle?: string;
  /** Columns of the table's own, after the label. */
  extraColumns?: readonly Column[];
  /** What the rows are, in one sentence of the caption. */
  about?: string;
  /** The command that makes the runs that are missing, without its scale. */
  command?: string;
  /**
   * How the comparisons are put together into one verdict each: the name of the claim that a line tests. `null`: not at
   * all.
   */
  claimOf?: ((line: Line) => string) | null;
}

/** The command that makes the runs of a study. */
export const commandOf = (study: string, scale?: string): string =>
  `npx rifle sweep --study ${study}${scale === undefined ? '' : ` --scale ${scale}`}`;
