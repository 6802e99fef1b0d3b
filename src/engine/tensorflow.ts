// The one TensorFlow.js instance of the process, loaded when it is first used; danfo uses it too.
import './library'; // first: it says how TensorFlow.js is loaded
import * as tf from '@tensorflow/tfjs-node';
import type * as TF from '@tensorflow/tfjs-node';

export { tf };
/** The types of `tf`, for files that need no value of it. */
export type { TF };
