// tslab's own package: notebooks import its functions of display, which here run on the kit's TypeScript.
import { createRequire } from 'node:module';
import path from 'node:path';
import ts from 'typescript';
import { packageRoot } from '../../../base/home';
import { newModule } from './node-module';

/** The folder of the pinned tslab. */
export function tslabFolder(): string {
  return path.dirname(createRequire(path.join(packageRoot(), 'package.json')).resolve('tslab/package.json'));
}

/** Publishes a display of tslab's: Jupyter's content, and whether it updates an earlier one. */
export type TslabPublish = (content: Record<string, unknown>, isUpdate?: boolean) => void;

let publish: TslabPublish = () => undefined;

/** Sets where tslab's displays go. */
export function setTslabPublish(to: TslabPublish): void {
  publish = to;
}

let loaded: unknown;

/** What `import 'tslab'` gives. */
export function tslab(): unknown {
  if (loaded !== undefined) return loaded;
  const ofTslab = createRequire(path.join(tslabFolder(), 'package.json'));
  const fork = ofTslab.resolve('@tslab/typescript-for-tslab');
  // tslab brings a TypeScript of its own, which takes half a second to load: it gets the kit's instead.
  require.cache[fork] ??= Object.assign(newModule(fork, path.dirname(fork)), { exports: ts, loaded: true });
  const jupyter = ofTslab('./dist/jupyter.js') as { lastWriteDisplayData: TslabPublish };
  jupyter.lastWriteDisplayData = (content, isUpdate) => publish(content, isUpdate);
  loaded = ofTslab('./dist/public.js') as unknown;
  return loaded;
}
