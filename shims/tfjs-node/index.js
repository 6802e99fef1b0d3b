// danfo asks for @tensorflow/tfjs-node; a second TensorFlow library in one process would clash, so it gets the kit's.
module.exports = require('@tensorflow/tfjs-node-gpu');
