// Checks each part in extensions/: see "Check an extension" in docs/extending.md of rifle-kit.
import { test } from 'node:test';
import { checkExtension, loadExtensions } from 'rifle-kit/extend';

for (const { exports } of await loadExtensions())
  for (const [name, definition] of Object.entries(exports))
    if (typeof definition === 'function') test(`${name} is a sound extension`, () => checkExtension(definition));
