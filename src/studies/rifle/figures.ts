// Which runs the figures of claims F1 to F5 show, and the figures themselves.
import type { TrainedRun } from '../../analysis';
import { KitError } from '../../base';
import {
  accuracyFigure,
  ckaFigure,
  type FigureSources,
  forestFigure,
  gradientDepthFigure,
  gradientHeatmap,
  groupRuns,
  layerDistanceFigure,
  type LayeredRun,
  lossFigure,
  lowLevelFigure,
  type NamedFigure,
  onTest,
  type Table,
} from '../../report';
import type { RunRecord } from '../../runs';
import type { AnalysisContext } from '..';
import { ckaClaims, distanceClaims, gradientClaims, lowLevelClaims } from './figure-claims';
import { isFineTuning, isRifleOnL2 } from './selections';

type FigureOptions = FigureSources & { width?: number };

/** Fine-tuning and the authors' RIFLE: what the figures show. */
export const basicRuns = (records: readonly RunRecord[]): RunRecord[] =>
  groupRuns(onTest(records)).flatMap(({ methods }) =>
    methods.filter((runs) => isFineTuning(runs) || isRifleOnL2(runs)).flatMap((runs) => runs.records),
  );

const epochCount = (runs: readonly RunRecord[]): number => runs.reduce((sum, { epochs }) => sum + epochs.length, 0);

/** Of each data set the fine-tuning and RIFLE runs of the backbone and settings that have most epochs. */
function mainGroups(records: readonly RunRecord[]): RunRecord[][] {
  const main = new Map<string, RunRecord[]>();
  for (const { dataset, methods } of groupRuns(basicRuns(records))) {
    const runs = methods.flatMap((method) => method.records);
    if (epochCount(runs) > epochCount(main.get(dataset) ?? [])) main.set(dataset, runs);
  }
  return [...main.values()];
}

/** The runs whose layers and stages are analysed: fine-tuning and RIFLE of the group that has most epochs. */
export const mainRuns = (records: readonly RunRecord[]): RunRecord[] =>
  mainGroups(records).sort((a, b) => epochCount(b) - epochCount(a))[0] ?? [];

/** The main runs of each data set with their layers, without those that have none. */
function layeredRuns(records: readonly RunRecord[], { layers = () => [] }: FigureSources): LayeredRun[][] {
  const groups = mainGroups(records).map((runs) =>
    runs.map((record) => ({ record, layers: layers(record.id) })).filter((run) => run.layers.length > 0),
  );
  return groups.filter((group) => group.some(({ record }) => record.status === 'finished'));
}

/** The name in files of what is drawn of several data sets: the first has no number. */
const numbered = (name: string, i: number): string => (i === 0 ? name : `${name}-${i + 1}`);

/** Whether there is a finished run with rows of its layers. */
export const hasLayers = (records: readonly RunRecord[], sources: FigureSources): boolean =>
  layeredRuns(records, sources).length > 0;

/** The forest plot of a table of comparisons, when it has differences on several conditions. */
export const forestOf =
  (name: string, tableOf: (records: readonly RunRecord[]) => Table) =>
  (records: readonly RunRecord[], options: FigureOptions): NamedFigure[] => {
    const table = tableOf(records);
    const drawn = table.rows.filter(({ difference }) => typeof difference === 'number');
    return drawn.length < 2 ? [] : [{ name, figure: forestFigure(table, options) }];
  };

/** F1. */
export const distanceFigures = (records: readonly RunRecord[], options: FigureOptions): NamedFigure[] =>
  layeredRuns(records, options).map((runs, i) => ({
    name: numbered('layer-distance', i),
    figure: layerDistanceFigure(runs, { ...options, claims: distanceClaims }),
  }));

/** F2. */
export const gradientFigures = (records: readonly RunRecord[], options: FigureOptions): NamedFigure[] =>
  layeredRuns(records, options).flatMap((runs, i) => {
    const claimed = { ...options, claims: gradientClaims };
    return [
      { name: numbered('gradient-depth', i), figure: gradientDepthFigure(runs, claimed) },
      { name: numbered('gradient-map', i), figure: gradientHeatmap(runs, claimed) },
    ];
  });

/** F3. */
export const trainingFigures = (records: readonly RunRecord[], options: FigureOptions): NamedFigure[] => [
  { name: 'accuracy', figure: accuracyFigure(basicRuns(records), options) },
  { name: 'loss', figure: lossFigure(basicRuns(records), options) },
];

/** F4. */
export const lowLevelFigures = (_: readonly RunRecord[], options: FigureOptions): NamedFigure[] => {
  const { lowLevel = [] } = options;
  const figure = (): NamedFigure => ({
    name: 'low-level',
    figure: lowLevelFigure(lowLevel, { ...options, claims: lowLevelClaims(lowLevel) }),
  });
  return lowLevel.length === 0 ? [] : [figure()];
};

/** F5. */
export const ckaFigures = (_: readonly RunRecord[], options: FigureOptions): NamedFigure[] => {
  const { cka = [] } = options;
  const figure = (): NamedFigure => ({ name: 'cka', figure: ckaFigure(cka, { ...options, claims: ckaClaims(cka) }) });
  return cka.length === 0 ? [] : [figure()];
};

/** The main runs whose weights were kept. @throws KitError ANALYSIS_NO_WEIGHTS when there are none. */
function trainedRuns(records: readonly RunRecord[], { weightsOf }: AnalysisContext): TrainedRun[] {
  const runs = mainRuns(records).flatMap((record) => {
    const weights = record.status === 'finished' ? weightsOf(record.id) : null;
    return weights === null ? [] : [{ record, weights }];
  });
  if (runs.length === 0)
    throw new KitError('No run of fine-tuning or RIFLE has kept its weights.', {
      code: 'ANALYSIS_NO_WEIGHTS',
      fix: 'Make such runs: `npx rifle sweep --study f4`.',
    });
  return runs;
}

/** The rows of F4. */
export const analyseLowLevel = async (
  records: readonly RunRecord[],
  context: AnalysisContext,
): Promise<Partial<FigureSources>> => {
  const { lowLevelFeatures } = await import('../../analysis/index.js');
  return { lowLevel: await lowLevelFeatures(trainedRuns(records, context), context) };
};

/** The rows of F5. */
export const analyseRepresentations = async (
  records: readonly RunRecord[],
  context: AnalysisContext,
): Promise<Partial<FigureSources>> => {
  const { ckaByStage } = await import('../../analysis/index.js');
  return { cka: await ckaByStage(trainedRuns(records, context), context) };
};
