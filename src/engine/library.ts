// Loads TensorFlow.js on its first use: settings of the library before, corrections of known faults after.
import fs from 'node:fs';
import path from 'node:path';
import util from 'node:util';
import loader from '@tensorflow/tfjs-node/loader';
import type * as TF from '@tensorflow/tfjs-node-gpu';
import { KitError } from '../base/errors';
import { kitHome, setupCommandLine } from '../base/home';

/** Settings that the TensorFlow library reads once, when it loads. A value that the user has set stays. */
const SETTINGS: Record<string, string> = {
  TF_ENABLE_ONEDNN_OPTS: '1', // off by default without AVX-512, where a graph step then takes twice as long (measured)
  TF_DETERMINISTIC_OPS: '1', // the same bits from the same run: what resuming and reproduction stand on
  TF_FORCE_GPU_ALLOW_GROWTH: 'true', // leave room for other processes on the card
  TF_CPP_MIN_LOG_LEVEL: '2', // errors only
  CUDA_CACHE_PATH: path.join(kitHome(), 'cuda'), // kernels compiled for a newer card outlive the process
};

/** Loads the engine. @throws KitError `ENGINE_NOT_LOADED` when the library or the compiled binding is missing. */
function load(): typeof TF {
  for (const [name, value] of Object.entries(SETTINGS)) process.env[name] ??= value;
  const legacy = util as unknown as Record<string, unknown>;
  // Node 23 removed these from node:util; tfjs-node 4.22 calls them.
  legacy.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  legacy.isArray ??= Array.isArray;
  try {
    loadQuietly();
    const engine = require('@tensorflow/tfjs-node-gpu') as typeof TF;
    correctRound(engine);
    return engine;
  } catch (cause) {
    throw new KitError(
      'TensorFlow cannot be loaded: the library or the compiled addon is missing, or does not fit this machine.',
      { code: 'ENGINE_NOT_LOADED', fix: `Run \`${setupCommandLine()}\`.`, cause },
    );
  }
}

/** Lines that the library writes while it loads and that say nothing is wrong. */
const INFORMATION = /^(I\d{4} .*|WARNING: All log messages before absl::InitializeLog\(\).*)$/;

/**
 * Loads the library with the log level `TF_CPP_MIN_LOG_LEVEL`. The library itself reads the variable only after it has
 * written lines of information. Does nothing where the set-up has not built the addon for it.
 */
function loadQuietly(): void {
  const folder = path.dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));
  const addon = path.join(folder, 'lib', 'napi-v8', 'rifle_quiet.node');
  const level = Number(process.env.TF_CPP_MIN_LOG_LEVEL);
  if (!fs.existsSync(addon) || !(level >= 1)) return;
  const library = path.join(folder, 'deps', 'lib', 'libtensorflow_framework.so.2');
  const written = (require(addon) as { load(library: string, level: number): string }).load(library, level);
  const shown = written.split('\n').filter((line) => !INFORMATION.test(line));
  if (shown.some((line) => line !== '')) process.stderr.write(shown.join('\n'));
}

/** `tf.round` on int32 returns zeros on TensorFlow 2.17 and later: on integers it is the identity. */
function correctRound(engine: typeof TF): void {
  const round = engine.getKernel('Round', 'tensorflow');
  const identity = engine.getKernel('Identity', 'tensorflow');
  engine.unregisterKernel('Round', 'tensorflow');
  engine.registerKernel({
    ...round,
    kernelFunc: (args) => ((args.inputs.x as TF.TensorInfo).dtype === 'int32' ? identity : round).kernelFunc(args),
  });
}

loader.load = load;
