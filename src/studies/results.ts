// Reports and exports of the registered studies.
import { csvFiles as csvOfResults, exportAll as exportResults, writeReport as writePage } from '../report/page/export';
import type { ReportOptions, ResultsOptions } from '../report/page/export';
import type { RunRecord } from '../runs/store/record';
import { exhibits } from './study';

/**
 * Writes one self-contained HTML report of `records`: verdicts, the tables and figures of each registered study, the
 * runs behind each number, and what they were made with. The same records give the same bytes.
 * @returns the absolute path of the report.
 * @throws KitError REPORT_NO_RECORDS without records, UNKNOWN_STUDY for a study that is not registered.
 */
export const writeReport = (records: readonly RunRecord[], options: ReportOptions): Promise<string> =>
  writePage(records, { exhibits: exhibits(), ...options });

/**
 * Writes every table as CSV, JSON and LaTeX, and every figure as SVG, plotly JSON and the CSV of its numbers, into
 * `folder`.
 * @returns the absolute paths, sorted.
 */
export const exportAll = (
  records: readonly RunRecord[],
  folder: string,
  options: ResultsOptions = {},
): Promise<string[]> => exportResults(records, folder, { exhibits: exhibits(), ...options });

/** Every table of `exportAll` as CSV, and the numbers of every figure: text by the name of its file. */
export const csvFiles = (records: readonly RunRecord[], options: ResultsOptions = {}): Map<string, string> =>
  csvOfResults(records, { exhibits: exhibits(), ...options });
