// Step: what the machine itself must bring, asked only while another step is still to be done.
import fs from 'node:fs';
import { freeBytes, needSpace, size } from '../disk.mjs';
import { findCompiler, findHeaders, findNpm, findPython } from '../machine.mjs';

export default {
  name: 'prerequisites',
  title: 'prerequisites',
  what: 'looks for Python, a compiler, Node’s headers and disk space',
  seconds: 1,

  done: ({ pending }) => (pending.length === 0 ? 'not needed: nothing is left to do' : null),

  async run(context) {
    const { env, pins, places, pending } = context;
    const names = new Set(pending.map((step) => step.name));
    const found = [`Node ${process.versions.node}`];
    if (names.has('packages')) findNpm(env);
    if (names.has('python')) found.push(`Python ${findPython(env, pins.python).version}`);
    if (names.has('addon')) {
      found.push(findCompiler(env).compiler.replace(/\s*\(.*?\)/, ''));
      findHeaders(env);
    }
    // Steps write to the package's disk and to the home's, which can be one and the same.
    const needs = { [places.root]: 0, [places.home]: 0 };
    for (const step of pending)
      needs[step.writesTo === 'package' ? places.root : places.home] += step.bytes?.(context) ?? 0;
    const bytes = sameDisk(places.root, places.home)
      ? { [places.home]: Object.values(needs).reduce((a, b) => a + b, 0) }
      : needs;
    for (const [folder, need] of Object.entries(bytes))
      if (need > 0) needSpace(folder, need, `what is left of the set-up (${[...names].join(', ')})`);
    found.push(`${size(freeBytes(places.home))} free`);
    return found.join(', ');
  },
};

function sameDisk(...folders) {
  const disks = folders.map((folder) => fs.statSync(folder, { throwIfNoEntry: false })?.dev);
  // a home still to be made lies in the package, by default
  return disks.includes(undefined) || new Set(disks).size === 1;
}
