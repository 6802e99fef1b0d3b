// The claims of figures F1, F2, F4 and F5: one number a seed, paired with the control's.
import { type CkaRow, type LayerQuantity, type LowLevelRow, pairedDifference, type SeededLayers } from '../../analysis';
import {
  claimsTable,
  commonEpochs,
  depthParts,
  type EffectOfInterest,
  estimateOf,
  type FigureClaim,
  isPlain,
  type LayeredGroup,
  type LayeredMethod,
  type LayeredRun,
  onlyGroup,
  samePartsBut,
  type Table,
  valueOf,
  verdictFor,
} from '../../report';
import type { RunRecord } from '../../runs';

const OURS = 'our choice';
/** Of the logarithm of a ratio. */
const RATIO_EFFECT: EffectOfInterest = { value: Math.log(1.05), text: '1.05 times', none: '1', source: OURS };
/**
 * The loss is small when the head is reset: the network has converged. Else the gradients without RIFLE are as large as
 * those after a reset, and the claims say nothing.
 */
export const CONVERGED_LOSS = 0.05;
const CKA_EFFECT: EffectOfInterest = { value: 0.01, text: '0.01', source: OURS };
const POINTS_EFFECT: EffectOfInterest = { value: 0.5, text: '0.5 points', source: OURS };

/**
 * F1: how many times as far from the pretrained weights the layers of a part are with RIFLE as without, after the last
 * epoch. Of a seed's layers, and over seeds, the geometric mean. The claim is of the third of the convolutions at the
 * input side: that it is more than once.
 */
export function distanceClaims(group: LayeredGroup): FigureClaim[] {
  return partClaims(group, { quantity: 'weightDistance', what: 'distance' }, (method, control) => [
    commonEpochs([method, control]),
  ]);
}

/** F2: the same of the gradient norms, over all layers of a part and all epochs after the first reset. */
export function gradientClaims(group: LayeredGroup): FigureClaim[] {
  return partClaims(group, { quantity: 'gradientNorm', what: 'gradient norm' }, (method, control) => {
    const first = Math.min(...method.runs.records.flatMap(({ resets }) => resets));
    return Array.from({ length: Math.max(0, commonEpochs([method, control]) - first) }, (_, i) => first + 1 + i);
  });
}

/** F2 in the first epoch after the first reset alone, where the paper's effect is largest. */
export function firstEpochClaims(group: LayeredGroup): FigureClaim[] {
  return partClaims(group, { quantity: 'gradientNorm', what: 'gradient norm' }, (method) => [
    1 + Math.min(...method.runs.records.flatMap(({ resets }) => resets)),
  ]);
}

function partClaims(
  { methods }: LayeredGroup,
  { quantity, what }: { quantity: LayerQuantity; what: string },
  epochsOf: (method: LayeredMethod, control: LayeredMethod) => number[],
): FigureClaim[] {
  const pairs = methods
    .filter(({ runs }) => !isPlain(runs))
    .flatMap((method) => {
      const control = methods.find(({ runs }) => isPlain(runs) && samePartsBut('reset', runs, method.runs));
      return control === undefined ? [] : [{ method, control }];
    });
  return pairs.flatMap(({ method, control }) => {
    const epochs = epochsOf(method, control);
    const precondition = convergedBefore(method.runs.records);
    return depthParts([method, control], 3).map(({ name, layers }, part): FigureClaim => {
      const logs = (run: SeededLayers): number[] =>
        epochs.flatMap((epoch) => layers.flatMap((layer) => valueOf(run, layer, epoch, quantity).map(Math.log)));
      const bySeed = (side: LayeredMethod): Map<number, number> =>
        new Map(
          side.layers.map((run) => [run.seed, meanOf(logs(run))] as const).filter(([, mean]) => Number.isFinite(mean)),
        );
      const { n, mean, std, interval } = pairedDifference(bySeed(method), bySeed(control));
      const names = { method: method.runs.label, control: control.runs.label, of: name, what };
      return {
        ...names,
        unit: 'ratio',
        pairs: n,
        value: mean === null ? null : Math.exp(mean),
        interval: interval && { low: Math.exp(interval.low), high: Math.exp(interval.high) },
        spread: std,
        verdict: part === 0 && precondition.holds ? verdictFor({ mean, interval }, RATIO_EFFECT) : null,
        effect: RATIO_EFFECT,
        precondition,
      };
    });
  });
}

/** The training cross entropy (nats) of each run in the epoch before its first reset. */
export const lossesAtReset = (records: readonly RunRecord[]): number[] =>
  records.flatMap(({ epochs, resets: [first] }) => epochs[first - 1]?.trainCrossEntropy ?? []);

/** The precondition of F1 and F2. */
function convergedBefore(records: readonly RunRecord[]): NonNullable<FigureClaim['precondition']> {
  const losses = lossesAtReset(records);
  const [mean, low, high] = [meanOf(losses), Math.min(...losses), Math.max(...losses)].map((loss) => loss.toFixed(3));
  return {
    text:
      `the training cross entropy in the epoch before the first reset is below ${CONVERGED_LOSS} in the mean; ` +
      `measured ${mean}, from ${low} to ${high}`,
    holds: meanOf(losses) < CONVERGED_LOSS,
  };
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * F5: by how much CKA with the pretrained features is lower with RIFLE than without, at each stage and in the mean over
 * stages, of which the claim is.
 */
export function ckaClaims(rows: readonly CkaRow[], estimate = estimateOf(rows)): FigureClaim[] {
  const stages = [...new Map([...rows].sort((a, b) => a.place - b.place).map(({ place, stage }) => [place, stage]))];
  const parts = [
    ...stages.map(([place, stage]) => ({ of: stage, places: [place], isClaim: false })),
    { of: 'all stages', places: stages.map(([place]) => place), isClaim: true },
  ];
  const points = rows.map(({ method, seed, place, ...row }) => ({
    method,
    seed,
    place,
    value: -(row[estimate] ?? NaN),
  }));
  return pointClaims(points, parts, { unit: 'cka', what: 'CKA', effect: CKA_EFFECT });
}

/**
 * F4: by how many percentage points of test top-1 the refitted network is better with RIFLE's stages than with plain
 * fine-tuning's, for each number of stages kept, and in the mean over 1 to half of them, of which the claim is.
 */
export function lowLevelClaims(rows: readonly LowLevelRow[]): FigureClaim[] {
  const kept = [...new Map([...rows].sort((a, b) => a.kept - b.kept).map((row) => [row.kept, row.stage]))].filter(
    ([k]) => k > 0,
  );
  const half = Math.floor(Math.max(...kept.map(([k]) => k)) / 2);
  const early = kept.filter(([k]) => k <= half).map(([k]) => k);
  const parts = [
    ...kept.map(([k, stage]) => ({ of: `kept up to ${stage}`, places: [k], isClaim: false })),
    { of: `kept up to each of the first ${early.length} stages`, places: early, isClaim: true },
  ];
  return pointClaims(
    rows.map(({ method, seed, kept: place, top1 }) => ({ method, seed, place, value: 100 * top1 })),
    parts,
    { unit: 'points', what: 'top-1', effect: POINTS_EFFECT },
  );
}

interface SeededPoint {
  method: string;
  seed: number;
  place: number;
  value: number;
}

function pointClaims(
  points: readonly SeededPoint[],
  parts: readonly { of: string; places: readonly number[]; isClaim: boolean }[],
  measure: Pick<FigureClaim, 'unit' | 'what' | 'effect'>,
): FigureClaim[] {
  const methods = [...new Set(points.map(({ method }) => method))];
  const controlOf = (method: string): string => method.replace(/(^|\+)rifle(:.*)?$/, '') || 'fine-tuning';
  return methods
    .filter((method) => controlOf(method) !== method && methods.includes(controlOf(method)))
    .flatMap((method) =>
      parts
        .filter(({ places }) => places.length > 0)
        .map(({ of, places, isClaim }): FigureClaim => {
          const bySeed = (name: string): Map<number, number> => {
            const own = points.filter((point) => point.method === name && places.includes(point.place));
            const means = [...new Set(own.map(({ seed }) => seed))].map(
              (seed) => [seed, meanOf(own.filter((point) => point.seed === seed).map(({ value }) => value))] as const,
            );
            return new Map(means.filter(([, mean]) => Number.isFinite(mean)));
          };
          const { n, mean, interval } = pairedDifference(bySeed(method), bySeed(controlOf(method)));
          return {
            method,
            control: controlOf(method),
            of,
            ...measure,
            pairs: n,
            value: mean,
            interval,
            verdict: isClaim ? verdictFor({ mean, interval }, measure.effect) : null,
          };
        }),
    );
}

/** F1 as a table: `distanceClaims` of the runs of one group. */
export const distanceTable = (runs: readonly LayeredRun[]): Table =>
  claimsTable(distanceClaims(onlyGroup(runs)), { title: 'How much further the layers move with RIFLE' });

/** F2 as a table: `gradientClaims` of the runs of one group. */
export const gradientTable = (runs: readonly LayeredRun[]): Table =>
  claimsTable(gradientClaims(onlyGroup(runs)), { title: 'How much larger the gradients are after a reset' });

/** F4 as a table: `lowLevelClaims`. */
export const lowLevelTable = (rows: readonly LowLevelRow[]): Table =>
  claimsTable(lowLevelClaims(rows), { title: 'How much better the early stages are with RIFLE' });

/** F5 as a table: `ckaClaims`, by default of the unbiased estimate where all rows have it, as the figure. */
export const ckaTable = (rows: readonly CkaRow[], estimate = estimateOf(rows)): Table =>
  claimsTable(ckaClaims(rows, estimate), { title: 'How much further the representations move with RIFLE' });
