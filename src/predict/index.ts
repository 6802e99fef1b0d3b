// Public entry of src/predict: classify images with trained weights.
export {
  classifier,
  type ActivationMap,
  type ClassGuess,
  type Classifier,
  type Prediction,
  type Predictions,
  type PredictOptions,
} from './classifier';
export type { ImageInput } from './images';
export type { ModelSource } from './trained-model';
