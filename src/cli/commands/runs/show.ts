// `rifle runs show`: everything that is known of one run.
import type { Command } from 'commander';
import pc from 'picocolors';
import type { JournalEntry } from '../../../runs/store/journal';
import type { RunRecord } from '../../../runs/store/record';
import { repetitionText } from '../../../report/comparison/repetition';
import { percent, printLine, printList, reportedText } from '../../print';
import { duration } from '../../progress';
import { showMistakes, type MistakesFlags } from '../../mistakes';
import { storeCommand, type StoreFlags } from '../../store-command';

/** The command. */
export function showCommand(): Command {
  return storeCommand<StoreFlags & MistakesFlags>({
    name: 'show',
    description: 'show everything that is known of a run: spec, hashes, versions, settings, time, cost, history',
    examples: ['rifle runs show db31527f', 'rifle runs show db31 --mistakes --picture mistakes.png'],
    define: (command) =>
      command
        .argument('<id>', 'or its beginning')
        .option(
          '--mistakes',
          'instead: metrics, scores of each class, confused classes and the images with the largest loss',
        )
        .option('--picture <file>', 'with --mistakes: write these images, and where the model looks, as a PNG file'),
    async run(store, { json, mistakes, picture }, start: string) {
      const { idOf } = await import('../../../runs/store/selection.js');
      const id = idOf(store, start);
      if (mistakes || picture !== undefined) {
        await showMistakes(store, id, { json, picture });
        return null;
      }
      const record = store.find(id);
      const journal = store.journal(id).read();
      const weights = [...new Set((['last', 'best'] as const).flatMap((which) => store.weights(id, which) ?? []))];
      return {
        json: { record, journal, weights },
        print() {
          if (record !== null) printRecord(record, weights);
          printJournal(journal);
        },
      };
    },
  });
}

function printRecord(record: RunRecord, kept: readonly string[]): void {
  const { environment: made, dataset, weights, wallSeconds } = record;
  const hours = wallSeconds / 3600;
  const threads = Number(made.flags.TF_NUM_INTRAOP_THREADS ?? made.cores);
  const rows: [string, string | number][] = [
    ['run', record.id],
    ['status', record.failure === null ? record.status : `${record.status}: ${record.failure.message}`],
    ['method', record.method],
    [`${record.evaluatedOn} top-1`, `${percent(record.top1)} ${reportedText(record)}`],
    ['resets after epochs', record.resets.join(', ') || 'none'],
    ['seed', `${repetitionText(record.spec)} (of every random stream)`],
    [
      'data set',
      `${dataset.name}, ${dataset.train} training and ${dataset.test} test images, ${dataset.classes.length} classes`,
    ],
    ['data set hash', dataset.hash],
    ['weights', `${weights.id}, ${weights.parameters} parameters`],
    ['weights hash', weights.hash],
    [
      'kit',
      `${made.kit}, numerics ${numericsText(record)}, commit ${made.gitCommit ?? 'unknown'}` +
        (made.gitDirty ? ' with changes' : ''),
    ],
    ['versions', `Node ${made.node}, TensorFlow.js ${made.tfjs}, TensorFlow ${made.tensorflow}`],
    ['device', made.gpu ? `${made.gpu.name}, driver ${made.gpu.driver}, CUDA ${made.gpu.cuda}` : made.device],
    ['machine', `${made.cpu}, ${made.cores} cores, ${made.platform}`],
    ...Object.entries(made.flags).map(([name, value]): [string, string] => ['setting', `${name}=${value}`]),
    ['time', `${duration(wallSeconds)}, from ${record.startedAt} to ${record.finishedAt}`],
    [
      'cost',
      made.device === 'gpu'
        ? `${hours.toPrecision(3)} GPU hours`
        : `${(hours * threads).toPrecision(3)} core hours at most`,
    ],
    ['peak memory', `${record.peakMemoryMb.toFixed(0)} MB`],
    ['kept weights', kept.join(', ') || 'none'],
  ];
  printList(['', ''], rows);
  printLine(`\n${pc.bold('Spec')}\n${JSON.stringify(record.spec, null, 1)}`);
}

const numericsText = ({ numerics }: RunRecord): string =>
  Object.entries(numerics)
    .map((each) => each.join(' '))
    .join(', ');

function printJournal(journal: readonly JournalEntry[]): void {
  printLine(`\n${pc.bold('History')}`);
  printList(
    ['at', 'event', 'process', ''],
    journal.map(({ at, event, host, pid, environment: _, spec: _spec, ...details }) => [
      at.slice(0, 19),
      event,
      `${pid} on ${host}`,
      Object.entries(details)
        .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
        .join(', '),
    ]),
  );
}
