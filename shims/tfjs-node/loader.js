// How the engine is loaded on its first use. The kit replaces `load` to make the library's settings before it loads.
module.exports = { load: () => require('@tensorflow/tfjs-node-gpu') };
