// What the fused ops are made of: a TensorFlow op that tfjs's tape differentiates.
import { backend, type Attribute } from '../binding';
import { tf, type TF } from '../tensorflow';

/** One TensorFlow kernel with its gradient, in the terms of tfjs's kernel and gradient registries. */
export interface FusedOp {
  name: string;
  /** Outputs of the TensorFlow op. */
  run(inputs: Record<string, TF.Tensor>, attributes: Settings): TF.Tensor | TF.Tensor[];
  save: string[];
  /** Which outputs the gradient needs. */
  saveOutputs?: boolean[];
  gradient(dy: TF.Tensor[], saved: TF.Tensor[], attributes: Settings): Record<string, () => TF.Tensor>;
}

/** Attributes as tfjs hands them through. */
export type Settings = Record<string, unknown>;

/**
 * The function that runs `op`. Its first call registers `op` with tfjs, whose tape then differentiates it: importing
 * this file does not load TensorFlow.
 */
export function fused(op: FusedOp): (inputs: Record<string, TF.Tensor>, attributes?: Settings) => TF.Tensor[] {
  let isRegistered = false;
  return (inputs, attributes = {}) => {
    if (!isRegistered) register(op);
    isRegistered = true;
    const outputs = tf.engine().runKernel(op.name, inputs, attributes as TF.NamedAttrMap) as TF.Tensor | TF.Tensor[];
    return Array.isArray(outputs) ? outputs : [outputs];
  };
}

function register(op: FusedOp): void {
  tf.registerKernel({
    kernelName: op.name,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs }) => op.run(inputs as Record<string, TF.Tensor>, attrs as Settings),
  });
  tf.registerGradient({
    kernelName: op.name,
    inputsToSave: op.save,
    outputsToSave: op.saveOutputs,
    gradFunc: (dy, saved, attrs) => op.gradient(Array.isArray(dy) ? dy : [dy], saved, attrs as Settings),
  });
}

/** Runs a TensorFlow op that gives one tensor. */
export const single = (name: string, attributes: Attribute[], inputs: TF.Tensor[]): TF.Tensor =>
  backend().executeSingleOutput(name, attributes, inputs);

/** A shape as the tensor that some ops take. */
export const shapeOf = (shape: number[]): TF.Tensor1D => tf.tensor1d(shape, 'int32');
