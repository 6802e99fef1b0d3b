// A table of results before its numbers: its rows, what each compares, and how they are laid out.
import type { LayerRow } from '../../runs/store/record';
import type { Column, Row } from '../table/cells';
import type { MethodComparison } from './comparison';
import type { Condition, PlannedRun } from './conditions';
import type { MethodRuns } from './grouping';
import type { ReportedValue } from './reported';
import type { EffectOfInterest } from './verdict';

/** What every table of results takes. */
export interface StudyTableOptions {
  title?: string;
  /** Name of the scale of the runs; shown in the caption, and in the command for runs that are missing. */
  scale?: string;
  /** Sentences for the caption, for example how hyper-parameters were chosen. */
  notes?: readonly string[];
  /**
   * Runs that should exist, for example a study's specs. Their data sets and backbones get rows also without runs, and
   * runs there under other settings get none.
   */
  planned?: readonly PlannedRun[];
  /** Rows of the layers of a run, for tables about them. Default: none. */
  layers?: (id: string) => readonly LayerRow[];
  /** Default: `readReported()`. */
  reported?: readonly ReportedValue[];
}

/** A row before its numbers. */
export interface ComparisonRow {
  condition: Condition;
  /** Block of rows of one condition. */
  section?: string;
  /** The row's heading. */
  label: string;
  /** The runs whose accuracy the row shows. */
  shown: MethodRuns;
  comparison: MethodComparison | null;
  /** Whether the comparison tests a claim, so that it gets a verdict. */
  isClaim: boolean;
  /** Cells of the table's own columns. */
  extra?: Row;
}

/** A table of comparisons. */
export interface ComparisonPlan {
  id: string;
  title: string;
  rows: readonly ComparisonRow[];
  /**
   * `methods`: a row shows a method and its difference to another. `pairs`: a row shows both sides. `rivals`: a row
   * shows a method, and how much the treated one is above it.
   */
  layout: 'methods' | 'pairs' | 'rivals';
  /** Heading of the rows' labels; `null`: the condition says it all. */
  labelTitle: string | null;
  /** Heading of the difference. Default: `Difference to` the control, where one control serves all rows. */
  differenceTitle?: string;
  /** The difference in the caption, for example `with RIFLE − without`. */
  differenceText?: string;
  /** Headings of control and treated in the layout `pairs`. Default `Without` and `With`. */
  sideTitles?: readonly [control: string, treated: string];
  /** Columns of the table's own, after the label. */
  extraColumns?: readonly Column[];
  /** The rows, in one sentence of the caption. */
  about?: string;
  /** The command that makes the runs that are missing, without its scale. */
  command?: string;
  /** The claim that a row tests: rows of one claim get one verdict together. Default: no such verdict. */
  claimOf?: (row: ComparisonRow) => string;
  /** Rows of the same key are pooled over data sets. Default: none are. */
  poolBy?: (row: ComparisonRow) => string;
  /** Default `DEFAULT_EFFECT`. */
  effect?: EffectOfInterest;
}

/** The command that makes the runs of a study. */
export const commandOf = (study: string, scale?: string): string =>
  `npx rifle sweep --study ${study}${scale === undefined ? '' : ` --scale ${scale}`}`;
