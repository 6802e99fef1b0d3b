// Public entry `rifle-kit/engine`: TensorFlow.js, its fused ops, and functions compiled to TensorFlow graphs.
export { tf } from './tensorflow';
export { compile, type CompiledFunction, type CompileOptions, type FunctionSpec, type Program } from './compile';
export type { ArgumentSpec, Feed, ProgramControls } from './graph/program';
export * as ops from './ops/ops';
export type { Precision } from './passes/precision';
export { optimizerVariables } from './optimizer-variables';
