// Loads TensorFlow.js with the library's settings made before, and its known faults mended after.
import util from 'node:util';
import path from 'node:path';
import type * as TF from '@tensorflow/tfjs-node-gpu';
import { KitError } from '../base/errors';
import { kitHome } from '../base/home';

/** Settings that the TensorFlow library reads once, when it loads. A value that the user has set stays. */
const SETTINGS: Record<string, string> = {
  TF_ENABLE_ONEDNN_OPTS: '1', // off by default without AVX-512, where a graph step then takes twice as long (measured)
  TF_DETERMINISTIC_OPS: '1', // the same bits from the same run: what resuming and reproduction stand on
  TF_FORCE_GPU_ALLOW_GROWTH: 'true', // leave room for other processes on the card
  TF_CPP_MIN_LOG_LEVEL: '2', // errors only
  CUDA_CACHE_PATH: path.join(kitHome(), 'cuda'), // kernels compiled for a newer card outlive the process
};

function load(): void {
  for (const [name, value] of Object.entries(SETTINGS)) process.env[name] ??= value;
  const legacy = util as unknown as Record<string, unknown>;
  // Node 23 removed these from node:util; tfjs-node 4.22 calls them.
  legacy.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  legacy.isArray ??= Array.isArray;
  let module: typeof TF;
  try {
    module = require('@tensorflow/tfjs-node-gpu') as typeof TF;
  } catch (cause) {
    throw new KitError(
      'The TensorFlow addon could not be loaded: the library or the compiled binding is missing or does not fit this machine.',
      {
        fix: 'Run `npm run setup`.',
        cause,
      },
    );
  }
  mendRound(module);
}

/** `tf.round` on int32 returns zeros on TensorFlow 2.17 and later: on integers it is the identity. */
function mendRound(module: typeof TF): void {
  const round = module.getKernel('Round', 'tensorflow');
  const identity = module.getKernel('Identity', 'tensorflow');
  module.unregisterKernel('Round', 'tensorflow');
  module.registerKernel({
    ...round,
    kernelFunc: (args) => ((args.inputs.x as TF.TensorInfo).dtype === 'int32' ? identity : round).kernelFunc(args),
  });
}

load();
