// The table of the study: both ways of forgetting later layers, against plain fine-tuning and against RIFLE.
import {
  commandOf,
  compareMethods,
  type ComparisonRow,
  comparisonTable,
  type Condition,
  conditionsOf,
  type MethodRuns,
  notRun,
  type StudyTableOptions,
  type Table,
} from '../../report';
import type { RunRecord } from '../../runs';
import { methods } from '../../transfer';
import { FORGETTING, METHODS } from './methods';

/** Whether runs are of a method of the study. */
export const isForgetting = ({ method }: MethodRuns): boolean => FORGETTING.includes(method);

const runsOf = ({ methods: found }: Condition, name: string): MethodRuns =>
  found.find(({ method }) => method === name) ?? notRun(name);

/** Rows: data sets x {against fine-tuning, against RIFLE} x methods. */
export function forgettingTable(records: readonly RunRecord[], options: StudyTableOptions = {}): Table {
  const rows = conditionsOf(records, isForgetting, options.planned).flatMap((condition) =>
    ['fine-tuning', 'rifle'].flatMap((control): ComparisonRow[] => {
      const rivals = METHODS.slice(METHODS.indexOf(control));
      return rivals.map((name) => ({
        condition,
        section: `against ${methods.get(control).title}`,
        label: methods.get(name).title,
        shown: runsOf(condition, name),
        comparison: name === control ? null : compareMethods(runsOf(condition, name), runsOf(condition, control)),
        isClaim: FORGETTING.includes(name),
      }));
    }),
  );
  return comparisonTable(
    {
      id: 'forgetting',
      title: 'Later-layer forgetting',
      about:
        'All layers from the last stage on are reset twice, to random or to pretrained values. ' +
        "The paper's own schedule is not known here: no value of the paper stands beside these.",
      rows,
      layout: 'methods',
      labelTitle: 'Method',
      command: commandOf('forgetting'),
    },
    options,
  );
}
