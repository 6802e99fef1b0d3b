// From a network's description and some weights to a backbone in memory: checks, layouts, variables, and the forward
// pass.
import { createHash } from 'node:crypto';
import { KitError } from '../base/errors';
import { globalAveragePool } from '../engine/ops/ops';
import { randomStream, type RandomStream } from '../base/random';
import { tf, type TF } from '../engine/tensorflow';
import type { Network, Pass } from './layers';
import type { Parameter } from './parameters';
import type { Backbone, BackboneRecord, ForwardHooks, ForwardOptions, ForwardResult } from './record';
import {
  matchStateDict,
  requireMatch,
  shapeText,
  sizeOf,
  type MatchReport,
  type StateDict,
} from './weights/readers/state-dict';
import type { WeightsFormat } from './weights/store';

/** A backbone that the kit can build: its record, and its network with a head for `classes`. */
export interface BackboneDefinition {
  record: BackboneRecord;
  build(classes: number): Network;
  /**
   * The tensors of a file as the network names and counts them, where some format has it otherwise. Default: as they
   * are.
   */
  adapt?(tensors: StateDict, format: WeightsFormat | null): StateDict;
}

/** Weights as read from somewhere. */
export interface FoundWeights {
  stateDict: StateDict;
  /** Of the file; `null` when they come from none. */
  format: WeightsFormat | null;
  /** Where they come from, for messages: a path. */
  source: string;
  /** What a run records of them. */
  hash: string;
}

/** How to assemble a backbone. */
export interface AssembleOptions {
  classes: number;
  /** What a new head, and everything where `weights` is null, is drawn from. */
  seed: number;
  /** `null`: random weights. */
  weights: FoundWeights | null;
}

let assembled = 0;

/**
 * The backbone of `definition`. The head of the weights stays when it has `classes` outputs; otherwise, or when they
 * have none,
 * a new one is drawn as torch.nn.Linear does, weight then bias from the stream `head`.
 * @throws KitError that names everything in the weights that is missing, left over or of the wrong shape.
 */
export function assemble(definition: BackboneDefinition, { classes, seed, weights: found }: AssembleOptions): Backbone {
  const { record } = definition;
  if (!Number.isSafeInteger(classes) || classes < 1)
    throw new KitError(`A head needs a whole number of classes from 1, found ${classes}.`, {
      fix: 'Give the number of classes of the data set.',
    });
  const weights = found && adapted(definition, found);
  const keepsHead = weights !== null && requireFit(definition, weights) === classes;
  const drawn = keepsHead ? null : drawHeads(definition.build(classes), seed);
  const valuesOf = (parameter: Parameter): Float32Array => {
    if (drawn?.has(parameter.name)) return drawn.get(parameter.name)!;
    if (weights === null) return parameter.draw(randomStream(seed, `weights/${parameter.name}`));
    return parameter.fromFile(weights.stateDict.get(parameter.name)!);
  };
  return fill(definition, classes, weights?.hash ?? randomHash(record, seed), valuesOf);
}

/** A backbone whose parameters begin with `valuesOf` each, in the layout of memory. */
function fill(
  definition: BackboneDefinition,
  classes: number,
  weightsHash: string,
  valuesOf: (parameter: Parameter) => Float32Array,
): Backbone {
  const { record } = definition;
  const network = definition.build(classes);
  // tfjs wants names that are unique in the process.
  const prefix = `${record.id}#${assembled++}`;
  const variables: Record<string, TF.Variable> = {};
  const dispose = () => Object.values(variables).forEach((variable) => variable.dispose());
  try {
    for (const [name, parameter] of network.parameters) {
      const { shape, trainable } = parameter;
      parameter.variable = tf.tidy(() =>
        tf.variable(tf.tensor(valuesOf(parameter), shape), trainable, `${prefix}/${name}`),
      );
      variables[name] = parameter.variable;
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return {
    record,
    classes,
    weightsHash,
    variables,
    parameters: network.parameters,
    head: variablesOf(network.head),
    auxiliaryHead: network.auxiliaryHead && variablesOf(network.auxiliaryHead),
    residualBlocks: network.residualBlocks,
    forward: (images, options) => forward(network, record, images, options),
    copy: () => fill(definition, classes, weightsHash, ({ name }) => variables[name].dataSync<'float32'>()),
    dispose,
  };
}

const variablesOf = ({ weight, bias }: Network['head']): Backbone['head'] => ({
  weight: weight.variable!,
  bias: bias.variable!,
});

/** What a run records of random weights. */
export const randomHash = ({ id }: BackboneRecord, seed: number): string =>
  createHash('sha256').update(`random/${id}/${seed}`).digest('hex');

/** The weights as the network names and counts them. */
const adapted = ({ adapt }: BackboneDefinition, found: FoundWeights): FoundWeights =>
  adapt ? { ...found, stateDict: adapt(found.stateDict, found.format) } : found;

/** How the tensors of a file line up with a network whose head has as many classes as theirs. */
export function matchWeights(definition: BackboneDefinition, found: FoundWeights): MatchReport {
  return lineUp(definition, adapted(definition, found)).report;
}

/** The report, and the number of classes of the weights' head: `null` when they have none. */
function lineUp(
  { record, build }: BackboneDefinition,
  { stateDict }: FoundWeights,
): { report: MatchReport; classes: number | null } {
  const [weight, bias] = [stateDict.get(record.head.weight), stateDict.get(record.head.bias)];
  const classes = bias?.shape[0] ?? (weight ? sizeOf(weight.shape) / record.featureSize : null);
  const { parameters, convention } = build(classes ?? 1);
  const wanted = new Map([...parameters].map(([name, parameter]) => [name, parameter.fileShape]));
  if (classes === null)
    for (const name of Object.values({ ...record.head, ...record.auxiliary?.head })) wanted.delete(name);
  return { report: matchStateDict(stateDict, wanted, convention.ignore), classes };
}

/**
 * Checks that the weights fit the network, and gives the number of classes of their head: `null` when they have none.
 */
function requireFit(definition: BackboneDefinition, weights: FoundWeights): number | null {
  const { report, classes } = lineUp(definition, weights);
  requireMatch(report, weights.source, definition.record.id);
  return classes;
}

/** The values of new heads, by parameter name; the auxiliary one does not shift what the head is drawn from. */
function drawHeads({ head, auxiliaryHead }: Network, seed: number): Map<string, Float32Array> {
  const draw = (of: Network['head'] | null, stream: RandomStream) =>
    (of === null ? [] : [of.weight, of.bias]).map((parameter) => [parameter.name, parameter.draw(stream)] as const);
  return new Map([
    ...draw(head, randomStream(seed, 'head')),
    ...draw(auxiliaryHead, randomStream(seed, 'auxiliary-head')),
  ]);
}

/**
 * Pixels as the network sees them: [batch, height, width, 3] in 0..255, RGB, to normalised float32 in the network's
 * channel order.
 */
function normalise(images: TF.Tensor4D, { mean, std, channelOrder }: BackboneRecord): TF.Tensor4D {
  const normal = tf.cast(images, 'float32').sub(mean).div(std) as TF.Tensor4D;
  return channelOrder === 'bgr' ? tf.reverse(normal, 3) : normal;
}

function forward(
  network: Network,
  record: BackboneRecord,
  images: TF.Tensor4D,
  { training, hooks = {} }: ForwardOptions,
): ForwardResult {
  if (images.shape.length !== 4 || images.shape[3] !== 3) {
    throw new KitError(`${record.id} expects images [batch, height, width, 3], found ${shapeText(images.shape)}.`);
  }
  const pass: Pass = { training, hooks, updates: [], taps: {}, auxiliary: null };
  const seen = tf.tidy(() => {
    const features = globalAveragePool(network.trunk(normalise(images, record), pass));
    const logits = classify(features, network.head, hooks.head);
    const auxiliary =
      pass.auxiliary && network.auxiliaryHead
        ? { auxiliaryLogits: classify(globalAveragePool(pass.auxiliary), network.auxiliaryHead) }
        : {};
    return { logits, features, taps: pass.taps, ...auxiliary };
  });
  return { ...seen, updates: pass.updates };
}

/** The logits of a linear head, or of what a hook has in its place. */
function classify(features: TF.Tensor2D, head: Network['head'], hook?: ForwardHooks['head']): TF.Tensor2D {
  const [weight, bias] = [
    head.weight.variable as TF.Tensor as TF.Tensor2D,
    head.bias.variable as TF.Tensor as TF.Tensor1D,
  ];
  return hook?.(features, weight, bias) ?? tf.matMul(features, weight).add<TF.Tensor2D>(bias);
}
