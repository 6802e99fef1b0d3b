// `rifle runs list|table|show|diff|verify|prune|export`: what the store holds.
import { Command, Option } from 'commander';
import pc from 'picocolors';
import type { Difference } from '../../runs/store/compare';
import type { ExportFormat } from '../../runs/export/export';
import type { RunVerdict } from '../../runs/store/verify';
import type { RunFilter } from '../../runs/store/selection';
import { wholeNumber } from '../numbers';
import { megabytes, percent, printJson, printLine, printList } from '../print';
import { duration } from '../progress';

const openStore = async (folder?: string) => new (await import('../../runs/store/store.js')).RunStore(folder);

/** The command. */
export function runsCommand(): Command {
  return new Command('runs')
    .description('list, tabulate, show, compare, verify, remove and export runs')
    .addCommand(listCommand())
    .addCommand(tableCommand())
    .addCommand(showCommand())
    .addCommand(diffCommand())
    .addCommand(verifyCommand())
    .addCommand(pruneCommand())
    .addCommand(exportCommand());
}

interface Common {
  runs?: string;
  json?: boolean;
}

const common = (command: Command): Command =>
  command.option('--runs <dir>', "where runs are kept (default: the kit's own folder)").option('--json', 'print JSON');

/** The filters of a record that leave whole groups of runs. */
const filters = (command: Command): Command =>
  command
    .option('--dataset <name>', 'on data sets with this in their name')
    .option('--backbone <name>', 'of backbones with this in their id')
    .option('--since <date>', 'finished since then, for example 2026-05-01');

function listCommand(): Command {
  return filters(common(new Command('list')))
    .description('the runs of the store, newest last; with filters')
    .option('--method <name>', 'of this method')
    .option('--status <status>', 'finished, failed or unfinished')
    .option('--seed <n>', 'with this seed', wholeNumber)
    .option('--limit <n>', 'show only the newest; 0: all', wholeNumber, 50)
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx rifle runs list --method rifle --dataset elpv\n  $ npx rifle runs list --status unfinished --json',
    )
    .action(async ({ runs, json, limit, ...filter }: Common & RunFilter & { limit: number }) => {
      const { matchesFilter } = await import('../../runs/store/selection.js');
      const { unfinishedRuns } = await import('../../runs/store/unfinished.js');
      const store = await openStore(runs);
      const damaged: string[] = [];
      const records =
        filter.status === 'unfinished'
          ? []
          : store
              .brief((id, error) => damaged.push(`${id}: ${error.message}`))
              .filter((record) => matchesFilter(record, filter));
      const unfinished =
        filter.status === undefined || filter.status === 'unfinished'
          ? unfinishedRuns(store).filter((run) => matchesFilter(run.like, filter))
          : [];
      const newest = limit === 0 ? records : records.slice(-limit);
      if (json) return printJson({ runs: newest, unfinished: unfinished.map(({ like: _, ...run }) => run), damaged });
      printList(
        [
          'run',
          'method',
          'data set',
          'backbone',
          'seed',
          'epochs',
          'test top-1',
          'train top-1',
          'time',
          'finished',
          'device',
        ],
        newest.map(({ id, method, dataset, spec, epochs, top1, wallSeconds, finishedAt, environment, status }) => {
          const last = epochs.at(-1);
          return [
            id,
            method,
            dataset.name,
            spec.backbone,
            spec.seed,
            last?.epoch ?? 0,
            status === 'failed' ? 'diverged' : percent(top1),
            last ? percent(last.trainTop1) : '',
            duration(wallSeconds),
            finishedAt.slice(0, 16).replace('T', ' '),
            environment.device,
          ];
        }),
      );
      if (newest.length < records.length)
        printLine(`... and ${records.length - newest.length} older ones (--limit 0 shows all)`);
      if (unfinished.length > 0) {
        printLine(`\n${pc.bold('Unfinished')}`);
        printList(
          ['run', 'method', 'data set', 'seed', 'epochs done', 'state'],
          unfinished.map((run) => [
            run.id,
            run.method,
            run.dataset,
            run.seed,
            `${run.epochsDone}/${run.epochs}`,
            run.owner
              ? `being made by process ${run.owner.pid} on ${run.owner.host}`
              : `goes on when asked for; last ${run.lastEvent}`,
          ]),
        );
      }
      for (const line of damaged) printLine(pc.red(line));
    });
}

function tableCommand(): Command {
  return filters(common(new Command('table')))
    .description('test accuracy of the methods that were run, over their seeds, each compared with its control')
    .option('--baseline <method>', 'the method that others are compared with', 'fine-tuning')
    .addHelpText('after', '\nExample:\n  $ npx rifle runs table --dataset elpv')
    .action(async ({ runs, json, baseline, ...filter }: Common & RunFilter & { baseline: string }) => {
      const { matchesFilter } = await import('../../runs/store/selection.js');
      const { methodsTable } = await import('../../report/tables/methods-table.js');
      const store = await openStore(runs);
      const damaged: string[] = [];
      const records = store
        .brief((id, error) => damaged.push(`${id}: ${error.message}`))
        .filter((record) => matchesFilter(record, filter));
      const table = methodsTable(records, { baseline, methods: [] });
      if (json) return printJson({ ...table.toJson(), damaged });
      printLine(table.toText());
      for (const line of damaged) printLine(pc.red(line));
    });
}

function showCommand(): Command {
  return common(new Command('show'))
    .description('everything that is known of a run: spec, hashes, versions, settings, time, cost, history')
    .argument('<id>', 'or its beginning')
    .addHelpText('after', '\nExample:\n  $ npx rifle runs show db31527f')
    .action(async (start: string, { runs, json }: Common) => {
      const { idOf } = await import('../../runs/store/selection.js');
      const store = await openStore(runs);
      const id = idOf(store, start);
      const record = store.find(id);
      const journal = store.journal(id).read();
      const kept = (['last', 'best'] as const).flatMap((which) => store.weights(id, which) ?? []);
      if (json) return printJson({ record, journal, weights: [...new Set(kept)] });
      if (record !== null) {
        const { environment: made, dataset, weights, wallSeconds } = record;
        const hours = wallSeconds / 3600;
        const rows: [string, string | number][] = [
          ['run', record.id],
          ['status', record.failure === null ? record.status : `${record.status}: ${record.failure.message}`],
          ['method', record.method],
          ['test top-1', `${percent(record.top1)} after ${record.epochs.length} epochs`],
          ['resets after epochs', record.resets.join(', ') || 'none'],
          ['seed', `${record.spec.seed}: every random stream comes from it`],
          [
            'data set',
            `${dataset.name}, ${dataset.train} training and ${dataset.test} test images, ${dataset.classes.length} classes, hash ${dataset.hash}`,
          ],
          ['weights', `${weights.id}, ${weights.parameters} parameters, hash ${weights.hash}`],
          [
            'kit',
            `${made.kit}, numerics ${record.numericsVersion}, commit ${made.gitCommit ?? 'unknown'}${made.gitDirty ? ' with changes' : ''}`,
          ],
          ['versions', `Node ${made.node}, TensorFlow.js ${made.tfjs}, TensorFlow ${made.tensorflow}`],
          ['device', made.gpu ? `${made.gpu.name}, driver ${made.gpu.driver}, CUDA ${made.gpu.cuda}` : made.device],
          ['machine', `${made.cpu}, ${made.cores} cores, ${made.platform}`],
          [
            'settings',
            Object.entries(made.flags)
              .map(([name, value]) => `${name}=${value}`)
              .join(' '),
          ],
          ['time', `${duration(wallSeconds)}, from ${record.startedAt} to ${record.finishedAt}`],
          [
            'cost',
            made.device === 'gpu'
              ? `${hours.toPrecision(3)} GPU hours`
              : `${(hours * Number(made.flags.TF_NUM_INTRAOP_THREADS ?? made.cores)).toPrecision(3)} core hours at most`,
          ],
          ['peak memory', `${record.peakMemoryMb.toFixed(0)} MB`],
          ['kept weights', [...new Set(kept)].join(', ') || 'none'],
        ];
        printList(['', ''], rows);
        printLine(`\n${pc.bold('Spec')}\n${JSON.stringify(record.spec, null, 1)}`);
      }
      printLine(`\n${pc.bold('History')}`);
      printList(
        ['at', 'event', 'process', ''],
        journal.map(({ at, event, host, pid, environment: _, spec: _s, ...details }) => [
          at,
          event,
          `${pid} on ${host}`,
          Object.entries(details)
            .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
            .join(', '),
        ]),
      );
    });
}

function diffCommand(): Command {
  return common(new Command('diff'))
    .description('what differs between two runs: first what could explain a difference in result')
    .argument('<a>', 'id or its beginning')
    .argument('<b>', 'id or its beginning')
    .addHelpText('after', '\nExample:\n  $ npx rifle runs diff db31 d36e')
    .action(async (a: string, b: string, { runs, json }: Common) => {
      const { idOf } = await import('../../runs/store/selection.js');
      const { compareRuns, summaryOf } = await import('../../runs/store/compare.js');
      const { KitError } = await import('../../base/errors.js');
      const store = await openStore(runs);
      const [first, second] = [a, b].map((start) => {
        const record = store.find(idOf(store, start));
        if (record === null) throw new KitError(`The run ${start} is not over: there is nothing to compare yet.`);
        return record;
      });
      const comparison = compareRuns(first, second);
      if (json) return printJson({ ...comparison, verdict: summaryOf(comparison) });
      const text = (value: unknown): string =>
        value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value);
      const show = (title: string, list: readonly Difference[]): void => {
        if (list.length === 0) return;
        printLine(`\n${pc.bold(title)}`);
        printList(
          ['', comparison.a, comparison.b],
          list.map(({ field, a, b }) => [field, text(a), text(b)]),
        );
      };
      printLine(summaryOf(comparison));
      show('Asked for', comparison.causes);
      show('Made with', comparison.suspects);
      show('Results', comparison.results);
      show('Costs', comparison.costs);
    });
}

function verifyCommand(): Command {
  return common(new Command('verify'))
    .description('whether runs are still what they left; exit code 1 when one is not')
    .argument('[ids...]', 'default: all')
    .option('--data', 'also load their data sets and compare hashes')
    .addHelpText('after', '\nExample:\n  $ npx rifle runs verify --data')
    .action(async (starts: string[], { runs, json, data }: Common & { data?: boolean }) => {
      const { idOf } = await import('../../runs/store/selection.js');
      const { verifyRun } = await import('../../runs/store/verify.js');
      const store = await openStore(runs);
      const ids = starts.length > 0 ? starts.map((start) => idOf(store, start)) : store.ids();
      const verdicts: RunVerdict[] = [];
      for (const id of ids) verdicts.push(await verifyRun(store, id, { data }));
      const wrong = verdicts.filter(({ state }) => state === 'wrong');
      if (wrong.length > 0) process.exitCode = 1;
      if (json) return printJson(verdicts);
      for (const { run, problems } of wrong)
        printLine(`${pc.red(run)}\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
      const count = (state: string): number => verdicts.filter((verdict) => verdict.state === state).length;
      printLine(
        `${verdicts.length} runs: ${count('sound')} sound, ${count('unchecked')} sound as far as can be told (no checksums: made by kit 0.1), ${count('unfinished')} unfinished, ${wrong.length} wrong.`,
      );
    });
}

function pruneCommand(): Command {
  return common(new Command('prune'))
    .description('remove runs: those named, or the kinds named; without --yes only tells which')
    .argument('[ids...]', 'runs by id')
    .option('--unfinished', 'those begun and not over, with their checkpoints')
    .option('--failed', 'those that diverged')
    .option('--old-numerics', "those whose numbers this kit's would not match")
    .option('--yes', 'remove them')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx rifle runs prune --unfinished\n  $ npx rifle runs prune --unfinished --yes',
    )
    .action(
      async (
        starts: string[],
        {
          runs,
          json,
          yes,
          ...kinds
        }: Common & { yes?: boolean; unfinished?: boolean; failed?: boolean; oldNumerics?: boolean },
      ) => {
        const { idOf } = await import('../../runs/store/selection.js');
        const { prunable, prune, sizeOfFolder } = await import('../../runs/store/prune.js');
        const store = await openStore(runs);
        const found = prunable(store, { ids: starts.map((start) => idOf(store, start)), ...kinds }).map((run) => ({
          ...run,
          bytes: sizeOfFolder(store.folder(run.id)),
        }));
        if (yes)
          await prune(
            store,
            found.map(({ id }) => id),
          );
        if (json) return printJson({ removed: yes ?? false, runs: found });
        printList(
          ['run', 'why', 'size'],
          found.map(({ id, why, bytes }) => [id, why, megabytes(bytes)]),
        );
        printLine(
          found.length === 0
            ? 'Nothing to remove.'
            : yes
              ? `${found.length} runs removed.`
              : `${found.length} runs would be removed: add --yes.`,
        );
      },
    );
}

function exportCommand(): Command {
  return common(new Command('export'))
    .description('write the kept weights of a run for use elsewhere, checked by a prediction')
    .argument('<id>', 'or its beginning')
    .addOption(
      new Option(
        '--format <format>',
        'a file that PyTorch and others read, a TensorFlow.js model, or a SavedModel for serving',
      )
        .choices(['safetensors', 'tfjs', 'savedmodel'])
        .default('safetensors'),
    )
    .addOption(
      new Option('--which <weights>', 'of the last epoch, or of the one with the highest test top-1')
        .choices(['last', 'best'])
        .default('last'),
    )
    .option('--out <path>', 'a file (safetensors) or folder to make (default: <id>.safetensors, <id>-<format>)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx rifle runs export db31 --out birds.safetensors\n  $ npx rifle runs export db31 --format savedmodel --which best',
    )
    .action(
      async (
        start: string,
        { runs, json, format, which, out }: Common & { format: ExportFormat; which: 'last' | 'best'; out?: string },
      ) => {
        const { idOf } = await import('../../runs/store/selection.js');
        const { exportRun } = await import('../../runs/export/export.js');
        const store = await openStore(runs);
        const id = idOf(store, start);
        const done = await exportRun(store, id, {
          format,
          which,
          to: out ?? (format === 'safetensors' ? `${id}.safetensors` : `${id}-${format}`),
        });
        if (json) return printJson({ run: id, format, which, ...done });
        printLine(
          `${done.path}: the weights of the ${which} epoch of run ${id}; its logits are within ${done.difference.toPrecision(2)} of the kit's own`,
        );
      },
    );
}
