// TensorFlow.js for Node, loaded when one of its members is first read, so that importing the kit or danfo costs nothing.
// Both get the same engine: a second TensorFlow library in one process would clash with the first.
const loader = require('./loader.js');

let loaded;
const engine = () => (loaded ??= loader.load());

module.exports = new Proxy(
  {},
  {
    // TypeScript's import helper asks for __esModule before anything is used.
    get: (_, name) => (name === '__esModule' ? true : engine()[name]),
    set: (_, name, value) => Reflect.set(engine(), name, value),
    has: (_, name) => name in engine(),
    ownKeys: () => Reflect.ownKeys(engine()),
    getOwnPropertyDescriptor(_, name) {
      const property = Object.getOwnPropertyDescriptor(engine(), name);
      return property && { ...property, configurable: true }; // a proxy may not report more than its target has
    },
  },
);
