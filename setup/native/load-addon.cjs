// Loads the compiled addons in this process:  node load-addon.cjs VERSION ADDON [QUIET_ADDON LIBRARY]
const [, , expected, addon, quiet, library] = process.argv;
if (quiet !== undefined) require(quiet).load(library, 2);
const { TF_Version: version } = require(addon);
if (version !== expected) {
  console.error(`The addon ${addon} has TensorFlow ${version}; expected ${expected}.`);
  process.exit(1);
}
console.log(`TensorFlow ${version} in Node ${process.versions.node}`);
