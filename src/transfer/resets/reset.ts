// A reset policy: after which epochs which parameters get new values, and what happens to their momentum.
import type { z } from 'zod';
import type { Backbone } from '../../backbones/backbone';
import { variablesByStage } from '../../backbones/stages';
import {
  definePart,
  type AnyDefinition,
  type Part,
  type PartDefinition,
  type PartInfo,
} from '../../base/definitions/part';
import type { FieldKinds } from '../../base/definitions/fields';
import { Registry } from '../../base/definitions/registry';
import { KitError } from '../../base/errors';
import { randomStream, type RandomStream } from '../../base/random';
import type { RateMoment } from '../schedules/schedule';
import { within } from '../within';

/** When a run is trained and reset. */
export interface Timetable {
  /** Epochs that are trained; at most those of the spec. */
  epochs: number;
  /** Epochs in a period, for policies that have periods; else all epochs. */
  period: number;
  /** Epochs (1-based, increasing) after whose evaluation the parameters are reset. */
  resets: number[];
}

/** What `values` is given. */
export interface ResetContext {
  /** 1-based: the reset is after this epoch. */
  epoch: number;
  /** Names, shapes and initial distributions. Its variables have the values before training, not the present ones. */
  backbone: Backbone;
  /** The random stream of this reset; with a name, an independent one. The same whenever the epoch is repeated. */
  stream(name?: string): RandomStream;
  /** Present values. */
  current(names: readonly string[]): Record<string, Float32Array>;
  /** Values before training: pretrained ones; of a new head, the first drawn. */
  initial(names: readonly string[]): Record<string, Float32Array>;
  /** New random values, drawn as for a network with random weights. */
  drawn(names: readonly string[]): Record<string, Float32Array>;
  /**
   * Names of the variables from `stage` on, to the output side, the head included; `'head'`: the head alone;
   * `'last-stage'`: the last of the backbone's stages, whatever its name. Running statistics are included.
   * @throws KitError for an unknown stage.
   */
  from(stage: string): string[];
}

/** What a reset policy does. */
export interface ResetBody<O> {
  /** Why the options do not fit the run; undefined when they do. */
  check?(options: O, run: { batchSize: number; epochs: number }): string | undefined;
  /** The timetable for a run of `epochs` epochs. A pure function. */
  timetable(options: O, epochs: number): Timetable;
  /** The factor of the learning rate in place of `moment.factor`, which schedule and tricks give. Default: that. */
  rate?(options: O, moment: RateMoment & { factor: number; period: number }): number;
  /** The new values, by name. Variables that are left out keep theirs. */
  values(options: O, context: ResetContext): Record<string, Float32Array>;
  /** Whether the optimizer's state (momentum) of the reset parameters is set to zero. Default false. */
  clearMomentum?(options: O): boolean;
}

/** All reset policies by name. */
export const resets = new Registry<AnyDefinition<ResetBody<never>>>('reset policy');

const fields: FieldKinds<ResetBody<never>> = {
  check: 'function?',
  timetable: 'function',
  rate: 'function?',
  values: 'function',
  clearMomentum: 'function?',
};

/** Defines a reset policy, for the field `reset` of a spec. */
export function defineReset<N extends string, O extends z.ZodObject>(
  info: PartInfo<N, O> & ResetBody<z.output<O>>,
): PartDefinition<N, O, ResetBody<z.output<O>>> {
  return definePart(resets as never, info, info, defineReset, fields);
}

/** The timetable of a run. @throws KitError when its policy never resets before the last evaluation, or is wrong. */
export function timetable({ epochs, reset }: { epochs: number; reset: Part | null }): Timetable {
  if (reset === null) return { epochs, period: epochs, resets: [] };
  const { body, name } = resets.get(reset.name);
  const table = within('reset policy', name, () => body.timetable(reset as never, epochs));
  const isInOrder = table.resets.every((at, i) => Number.isInteger(at) && at > (table.resets[i - 1] ?? 0));
  const isWithin = Number.isInteger(table.epochs) && table.epochs >= 1 && table.epochs <= epochs;
  if (!isInOrder || !isWithin || (table.resets.at(-1) ?? 0) > epochs)
    throw new KitError(
      `The timetable of the reset policy "${reset.name}" is wrong: ${table.epochs} epochs of ${epochs}, resets after ` +
        `the epochs ${table.resets.slice(0, 10).join(', ')}.`,
      { code: 'RESET_TIMETABLE', fix: 'It must give epochs from 1, in increasing order, within the run.' },
    );
  if (!table.resets.some((epoch) => epoch < table.epochs))
    throw new KitError(
      `The reset policy "${reset.name}" would never reset within ${table.epochs} epochs: ` +
        `its first period ends after epoch ${table.period}.`,
      {
        code: 'RESET_NEVER',
        fix: 'Raise `epochs` or lower the number of resets. A reset after the last evaluation changes no number.',
      },
    );
  return table;
}

/** The values that the reset after `epoch` writes, and the names of the parameters whose momentum it clears. */
export function resetValues(
  { reset, seed }: { reset: Part; seed: number },
  backbone: Backbone,
  epoch: number,
  read: (names: readonly string[]) => Record<string, Float32Array>,
): { values: Record<string, Float32Array>; cleared: string[] } {
  const { body, name } = resets.get(reset.name);
  const stream = (label?: string): RandomStream =>
    randomStream(seed, label === undefined ? 'reset' : `reset/${label}`, epoch);
  const each = (names: readonly string[], of: (name: string) => Float32Array): Record<string, Float32Array> =>
    Object.fromEntries(names.map((each) => [each, of(each)]));
  const context: ResetContext = {
    epoch,
    backbone,
    stream,
    current: read,
    initial: (names) => each(names, (each) => backbone.variables[each].dataSync<'float32'>().slice()),
    drawn: (names) => each(names, (each) => backbone.parameters.get(each)!.draw(stream(each))),
    from: (stage) => variablesFrom(backbone, stage),
  };
  const values = within('reset policy', name, () => body.values(reset as never, context));
  for (const [variable, array] of Object.entries(values)) {
    const size = backbone.variables[variable]?.size;
    const problem =
      size === undefined
        ? 'which the backbone does not have'
        : array.length !== size
          ? `${array.length} numbers instead of ${size}`
          : array.every(Number.isFinite)
            ? undefined
            : 'a number that is not finite';
    if (problem !== undefined)
      throw new KitError(`The reset policy "${name}" gives the variable "${variable}" ${problem}.`, {
        code: 'RESET_VALUES',
        fix: 'Correct its function `values`.',
      });
  }
  return { values, cleared: (body.clearMomentum?.(reset as never) ?? false) ? Object.keys(values) : [] };
}

/** Of a backbone, its variables by stage: to find them takes a pass for each stage. */
const knownStages = new WeakMap<Backbone, string[][]>();

/** Names of the variables from a stage on. */
function variablesFrom(backbone: Backbone, stage: string): string[] {
  const { taps, head } = backbone.record;
  if (stage === 'head') return [head.weight, head.bias];
  const lastStage = taps.filter((tap) => tap.startsWith('stage')).at(-1) ?? taps.at(-1)!;
  const place = taps.indexOf(stage === 'last-stage' ? lastStage : stage);
  if (place < 0)
    throw new KitError(`The backbone ${backbone.record.id} has no stage "${stage}".`, {
      code: 'UNKNOWN_STAGE',
      fix: `Choose one of ${[...taps, 'last-stage', 'head'].join(', ')}.`,
    });
  const stages = knownStages.get(backbone) ?? variablesByStage(backbone);
  knownStages.set(backbone, stages);
  const before = new Set(stages.slice(0, place).flat());
  return Object.keys(backbone.variables).filter((name) => !before.has(name));
}
