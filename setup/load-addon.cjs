// Loads the compiled addon in a process of its own and says which TensorFlow answers:  node load-addon.cjs FILE VERSION
const [, , file, expected] = process.argv;
const { TF_Version: version } = require(file);
if (version !== expected) {
  console.error(`The addon ${file} answers with TensorFlow ${version}; ${expected} was expected.`);
  process.exit(1);
}
console.log(`TensorFlow ${version} answers from Node ${process.versions.node}`);
