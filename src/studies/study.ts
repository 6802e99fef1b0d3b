// Studies: a claim, the runs that test it, and how its results are shown. Commands and reports know registered studies.
import path from 'node:path';
import { callSite, Registry } from '../base/definitions/registry';
import type { OnProgress } from '../base/progress';
import type { Exhibit, FigureSources } from '../report/page/exhibits';
import type { RunRecord } from '../runs/store/record';
import { methods } from '../transfer/methods';
import { parseRunSpec, type RunSpec, type RunSpecInput } from '../transfer/spec/spec';
import { inFolds, varied, type Vary } from './vary';
import { scale as scaleNamed, scaleNames, type Scale } from './scales';

/** What an analysis of trained networks needs. */
export interface AnalysisContext {
  /** The file of a run's final weights; `null` when they were not kept. */
  weightsOf: (id: string) => string | null;
  signal?: AbortSignal;
  onProgress?: OnProgress;
}

/** A study as it is defined: all that commands and reports know of it. */
export interface Study {
  /** Its name in commands, for example `t2`; of a study outside the kit with a slash, for example `jdoe/cutout`. */
  name: string;
  /** A short name before its title, for example `T2`. Default none. */
  label?: string;
  title: string;
  /** The claim, or what is shown, in one sentence. */
  claim: string;
  /** Whether its comparisons test one claim together, so that they get one verdict more. Default false. */
  isOneClaim?: boolean;
  /** Names of the methods that it runs; empty for a study without runs of its own. */
  methods: readonly string[];
  /** Whether it compares the backbones of its scale. Default false: the first only. */
  architectures?: boolean;
  /** Whether it looks at the first data set only. Default false. */
  oneDataset?: boolean;
  /** Scales of its own by name, before the registered ones of the same name. */
  scales?: Readonly<Record<string, Scale>>;
  /** What its runs are given besides the scale's spec, by scale. */
  changes?: Readonly<Record<string, Partial<RunSpecInput>>>;
  /** Its seeds by scale. Default: those of the scale. */
  seeds?: Readonly<Record<string, readonly number[]>>;
  /** The runs of one data set, backbone and seed. Default: one run of each method. */
  runsOf?: (spec: RunSpecInput, scale: Scale) => RunSpec[];
  /** Whether its analysis needs the final weights of its runs. Default false. */
  keepWeights?: boolean;
  /** The command that makes its runs. Default: `npx rifle sweep --study NAME`. */
  command?: string;
  /** Whether it is shown before all results and shows runs of all studies, as a table of data sets. Default false. */
  isBackground?: boolean;
  /** Whether some runs need this study to be shown. Default: it is shown on request only. */
  isPresent?: Exhibit['isPresent'];
  table?: Exhibit['table'];
  figures?: Exhibit['figures'];
  /** Computes what its figures are drawn from besides records, from kept weights. */
  analyse?: (records: readonly RunRecord[], context: AnalysisContext) => Promise<Partial<FigureSources>>;
}

/** What `studies.specs` depends on besides the study. */
export interface StudyOptions {
  /** Default: the environment variable RIFLE_SCALE, or `smoke`. */
  scale?: string;
  /** Default: those of the scale, and where it takes them the image folders in the environment variable RIFLE_DATA. */
  datasets?: readonly string[];
  seeds?: readonly number[];
  /** Values to try of any field of its runs, all combinations. Default none. */
  vary?: Vary;
  /** On which images all its runs are evaluated. Default: as the study says, which is `test` for most. */
  evaluateOn?: RunSpec['evaluateOn'];
  /** Cross-validation: each run once for each of this many folds. Default: none. */
  folds?: number;
}

const registry = new Registry<Study>('study', 'STUDY_DEFINED_TWICE');

/**
 * Registers a study. Commands, sweeps and reports then know it. The same file or notebook cell may define it again.
 * @throws KitError STUDY_DEFINED_TWICE for a name that another file has defined.
 */
export const defineStudy = (study: Study): Study => registry.add(study.name, study, callSite(defineStudy));

/** The image folders in the environment variable RIFLE_DATA. */
export const foldersOfData = (): string[] => (process.env.RIFLE_DATA ?? '').split(path.delimiter).filter(Boolean);

const foldersOf = ({ takesFolders = false }: Scale): string[] => (takesFolders ? foldersOfData() : []);

/** The registered studies. */
export const studies = {
  /** In the order of their definition. */
  list: (): readonly Study[] => registry.list(),

  /** @throws KitError UNKNOWN_STUDY with the near names. */
  get: (name: string): Study => registry.get(name),

  /** The runs of a study, seed by seed, so that a table of pairs fills early. */
  specs(name: string, options: StudyOptions = {}): RunSpec[] {
    const { vary = {}, evaluateOn, folds } = options;
    const study = studies.get(name);
    const scale = scaleOf(study, options.scale);
    const all = options.datasets ?? [...scale.datasets, ...foldersOf(scale)];
    const datasets = study.oneDataset ? all.slice(0, 1) : all;
    const backbones = study.architectures ? scale.backbones : scale.backbones.slice(0, 1);
    const seeds = options.seeds ?? study.seeds?.[scale.name] ?? scale.seeds;
    const runsOf =
      study.runsOf ??
      ((spec: RunSpecInput): RunSpec[] => study.methods.map((method) => parseRunSpec(methods.apply(method, spec))));
    return seeds.flatMap((seed) =>
      datasets.flatMap((dataset) =>
        backbones.flatMap((backbone) => {
          const runs = runsOf(
            {
              ...scale.spec,
              ...study.changes?.[scale.name],
              dataset,
              backbone,
              seed,
              ...(dataset === scale.spec.dataset ? {} : { limits: scale.folderLimits }),
            },
            scale,
          );
          const evaluated = evaluateOn === undefined ? runs : runs.map((spec) => ({ ...spec, evaluateOn }));
          return inFolds(varied(evaluated, vary), folds);
        }),
      ),
    );
  },

  /** The command that makes the runs of a study. */
  command(name: string, scale?: string): string {
    const { command } = studies.get(name);
    return command ?? `npx rifle sweep --study ${name}${scale === undefined ? '' : ` --scale ${scale}`}`;
  },
};

/** The scale at which a study runs. @throws KitError UNKNOWN_SCALE. */
export function scaleOf(study: Study, name: string = process.env.RIFLE_SCALE ?? 'smoke'): Scale {
  return study.scales !== undefined && Object.hasOwn(study.scales, name) ? study.scales[name] : scaleNamed(name);
}

/** How the registered studies are shown in a report. */
export const exhibits = (): Exhibit[] =>
  studies
    .list()
    .filter(({ table, figures }) => table !== undefined || figures !== undefined)
    .map(({ name, label, title, claim, isOneClaim, isBackground, isPresent, table, figures, ...study }) => ({
      id: name,
      label,
      title,
      claim,
      command: (scale?: string) => studies.command(name, scale),
      isOneClaim: isOneClaim ?? false,
      isBackground: isBackground ?? false,
      isPresent: isPresent ?? (() => false),
      planned: (scale: string) => {
        const isScale = scaleNames().includes(scale) || Object.hasOwn(study.scales ?? {}, scale);
        return isScale && study.methods.length > 0 ? studies.specs(name, { scale }) : [];
      },
      table,
      figures,
    }));
