declare const loader: { load: () => typeof import('@tensorflow/tfjs-node-gpu') };
export = loader;
