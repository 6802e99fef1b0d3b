// Step: checks what must be installed on the machine. It runs only if another step is not done.
import fs from 'node:fs';
import { freeBytes, needSpace, size } from '../system/disk.mjs';
import { findCompiler, findHeaders, findNpm, findPython } from '../system/machine.mjs';

export default {
  name: 'prerequisites',
  title: 'prerequisites',
  what: 'checks Python, the compiler, Node’s headers and disk space',
  seconds: 1,

  done: ({ pending }) => (pending.length === 0 ? 'not needed: all steps are done' : null),

  async run(context) {
    const { env, pins, paths, pending } = context;
    const names = new Set(pending.map((step) => step.name));
    const found = [`Node ${process.versions.node}`];
    if (names.has('packages')) findNpm(env);
    if (names.has('python')) found.push(`Python ${findPython(env, pins.python).version}`);
    if (names.has('addon')) {
      found.push(findCompiler(env).compiler.replace(/\s*\(.*?\)/, ''));
      findHeaders(env);
    }
    // Steps write to the disk of the package and to that of the home, which can be one disk.
    const needs = { [paths.root]: 0, [paths.home]: 0 };
    for (const step of pending)
      needs[step.writesTo === 'package' ? paths.root : paths.home] += step.bytes?.(context) ?? 0;
    const bytes = sameDisk(paths.root, paths.home)
      ? { [paths.home]: Object.values(needs).reduce((a, b) => a + b, 0) }
      : needs;
    for (const [folder, need] of Object.entries(bytes))
      if (need > 0) needSpace(folder, need, `the other steps (${[...names].join(', ')})`);
    found.push(`${size(freeBytes(paths.home))} free`);
    return found.join(', ');
  },
};

function sameDisk(...folders) {
  const disks = folders.map((folder) => fs.statSync(folder, { throwIfNoEntry: false })?.dev);
  // a home that does not exist yet is in the package by default
  return disks.includes(undefined) || new Set(disks).size === 1;
}
