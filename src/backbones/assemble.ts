// From a network's definition and some weights to a backbone in memory: checks, layouts, variables, forward pass.
import { createHash } from 'node:crypto';
import { KitError } from '../base/errors';
import { globalAveragePool } from '../engine/ops/ops';
import { randomStream, type RandomStream } from '../base/random';
import { tf, type TF } from '../engine/tensorflow';
import type { Network, Pass } from './layers';
import type { Parameter } from './parameters';
import type { Backbone, BackboneRecord, ForwardOptions, ForwardResult } from './record';
import type { BackboneDefinition } from './define-backbone';
import type { ExpectedNames } from './weights/choice';
import { matchStateDict, requireMatch, type MatchReport, type Selection } from './weights/match';
import { shapeText, sizeOf, type StateDict, type StateTensor } from './weights/readers/state-dict';
import type { WeightsFormat } from './weights/store';

/** Weights as read from a file. */
export interface FoundWeights {
  stateDict: StateDict;
  /** Of the file; `null` when they come from none. */
  format: WeightsFormat | null;
  /** Path of the file, for messages. */
  source: string;
  /** Runs record it. */
  hash: string;
  /** How the tensors were found in the file. Default: all of them, under their own names. */
  selection?: Selection;
}

/** How to assemble a backbone. */
export interface AssembleOptions {
  classes: number;
  /** Seed of the values of a new head, and of all values where `weights` is null. */
  seed: number;
  /** `null`: random weights. */
  weights: FoundWeights | null;
}

let assembled = 0;

/**
 * The backbone of `definition`. The head of the weights stays when it has `classes` outputs; otherwise, or when they
 * have none, a new one is drawn as torch.nn.Linear does, weight then bias from the stream `head`.
 * @throws KitError that names everything in the weights that is missing, left over or of the wrong shape.
 */
export function assemble(definition: BackboneDefinition, { classes, seed, weights: found }: AssembleOptions): Backbone {
  const { record } = definition;
  if (!Number.isSafeInteger(classes) || classes < 1)
    throw new KitError(`A head needs a whole number of classes from 1, found ${classes}.`, {
      code: 'BACKBONE_CLASSES',
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

/** The backbone of `definition` with zeros as weights. */
export const assembleZeros = (definition: BackboneDefinition, classes: number): Backbone =>
  fill(definition, classes, 'zeros', ({ shape }) => new Float32Array(sizeOf(shape)));

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

/** The hash of random weights, for records of runs. */
export const randomHash = ({ id }: BackboneRecord, seed: number): string =>
  createHash('sha256').update(`random/${id}/${seed}`).digest('hex');

/** The weights as the network names and counts them. */
function adapted({ adapt }: BackboneDefinition, found: FoundWeights): FoundWeights {
  if (!adapt) return found;
  const stateDict = adapt(found.stateDict, found.format);
  const before = new Map<StateTensor, string>([...found.stateDict].map(([name, tensor]) => [tensor, name]));
  const renamed = [...stateDict].flatMap(([name, tensor]) => {
    const from = before.get(tensor);
    return from === undefined || from === name ? [] : [{ from, to: name }];
  });
  return { ...found, stateDict, selection: { ...(found.selection ?? noSelection), renamed } };
}

const noSelection: Selection = { key: '', otherKeys: [], prefix: '', outside: [], renamed: [], unreadable: [] };

/** The names that files of the network's weights have, and how many of them a list of names has. */
export function expectedNames({ build, adapt }: BackboneDefinition): ExpectedNames {
  const names = [...build(1).parameters.keys()];
  const own = new Set(names);
  const empty: StateTensor = { shape: [], dtype: 'float32', data: new Float32Array(1) };
  return {
    names,
    fitting(found) {
      const present = adapt ? adapt(new Map(found.map((name) => [name, { ...empty }])), null).keys() : found;
      let count = 0;
      for (const name of present) if (own.has(name)) count++;
      return count;
    },
  };
}

/** How the tensors of a file line up with a network whose head has as many classes as theirs. */
export function matchWeights(definition: BackboneDefinition, found: FoundWeights): MatchReport {
  return lineUp(definition, adapted(definition, found)).report;
}

/** The report, and the number of classes of the weights' head: `null` when they have none. */
function lineUp(
  { record, build }: BackboneDefinition,
  { stateDict, selection = noSelection }: FoundWeights,
): { report: MatchReport; classes: number | null } {
  const [weight, bias] = [stateDict.get(record.head.weight), stateDict.get(record.head.bias)];
  const classes = bias?.shape[0] ?? (weight ? sizeOf(weight.shape) / record.featureSize : null);
  const { parameters, convention } = build(classes ?? 1);
  const wanted = new Map([...parameters].map(([name, parameter]) => [name, parameter.fileShape]));
  if (classes === null)
    for (const name of Object.values({ ...record.head, ...record.auxiliary?.head })) wanted.delete(name);
  return { report: { ...matchStateDict(stateDict, wanted, convention.ignore), selection }, classes };
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
    throw new KitError(`${record.id} expects images [batch, height, width, 3], found ${shapeText(images.shape)}.`, {
      code: 'BACKBONE_IMAGES',
      fix: 'Give RGB images, channels last.',
    });
  }
  const pass: Pass = { training, hooks, updates: [], taps: {}, auxiliary: null };
  const seen = tf.tidy(() => {
    const map = network.trunk(normalise(images, record), pass);
    const features = globalAveragePool(map);
    requireTaps(record, pass.taps);
    const { weight, bias } = valuesOf(network.head);
    const logits =
      hooks.head?.(features, weight, bias) ?? network.classify?.(map, weight, bias) ?? linear(features, network.head);
    const auxiliary =
      pass.auxiliary && network.auxiliaryHead
        ? { auxiliaryLogits: linear(globalAveragePool(pass.auxiliary), network.auxiliaryHead) }
        : {};
    return { logits, features, taps: pass.taps, ...auxiliary };
  });
  return { ...seen, updates: pass.updates };
}

const valuesOf = ({ weight, bias }: Network['head']) => ({
  weight: weight.variable as TF.Tensor as TF.Tensor2D,
  bias: bias.variable as TF.Tensor as TF.Tensor1D,
});

/** The logits of a linear head. */
function linear(features: TF.Tensor2D, head: Network['head']): TF.Tensor2D {
  const { weight, bias } = valuesOf(head);
  return tf.matMul(features, weight).add<TF.Tensor2D>(bias);
}

/** @throws KitError when a forward pass does not give the stages that the record declares. */
function requireTaps({ id, taps }: BackboneRecord, found: Pass['taps']): void {
  if (taps.length === Object.keys(found).length && taps.every((name) => name in found)) return;
  throw new KitError(
    `The network ${id} gives the stages ${Object.keys(found).join(', ') || 'none'}; ` +
      `its record declares ${taps.join(', ')}.`,
    { code: 'BACKBONE_STAGES', fix: 'Declare in `taps` the names that the network gives to `tap`, in their order.' },
  );
}
