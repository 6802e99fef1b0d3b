// Which variables of the environment are settings of TensorFlow: they are recorded with a run and sent to a cluster. No
// other is.

/**
 * The settings that change how TensorFlow computes or how much memory it takes. A list of names and not a prefix: other
 * programs' variables begin with `TF_` too, and hold secrets (Terraform's TF_TOKEN_*, TF_VAR_*, TF_CLI_*).
 */
export const TENSORFLOW_FLAGS: readonly string[] = [
  'TF_CPP_MAX_VLOG_LEVEL',
  'TF_CPP_MIN_LOG_LEVEL',
  'TF_CUDNN_DETERMINISTIC',
  'TF_CUDNN_USE_AUTOTUNE',
  'TF_CUDNN_WORKSPACE_LIMIT_IN_MB',
  'TF_DETERMINISTIC_OPS',
  'TF_DISABLE_CUDNN_TENSOR_OP_MATH',
  'TF_ENABLE_AUTO_MIXED_PRECISION',
  'TF_ENABLE_CUBLAS_TENSOR_OP_MATH',
  'TF_ENABLE_CUDNN_TENSOR_OP_MATH',
  'TF_ENABLE_ONEDNN_OPTS',
  'TF_FORCE_GPU_ALLOW_GROWTH',
  'TF_FORCE_UNIFIED_MEMORY',
  'TF_GPU_ALLOCATOR',
  'TF_GPU_THREAD_COUNT',
  'TF_GPU_THREAD_MODE',
  'TF_NUM_INTEROP_THREADS',
  'TF_NUM_INTRAOP_THREADS',
  'TF_ONEDNN_ASSUME_FROZEN_WEIGHTS',
  'TF_SYNC_ON_FINISH',
  'TF_USE_CUDNN_BATCHNORM_SPATIAL_PERSISTENT',
  'TF_XLA_FLAGS',
];

/** Of `variables`, those that are recorded, by name. */
export function recordedFlags(variables: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    TENSORFLOW_FLAGS.flatMap((flag): [string, string][] => {
      const value = variables[flag];
      return typeof value === 'string' ? [[flag, value]] : [];
    }),
  );
}
