// The one TensorFlow.js instance of the process, on the TensorFlow library of the set-up; danfo uses it too.
import './library'; // first: TensorFlow reads its settings when it loads
import * as tf from '@tensorflow/tfjs-node-gpu';
import type * as TF from '@tensorflow/tfjs-node-gpu';

export { tf };
/** The types of `tf`, for files that need no value of it. */
export type { TF };
