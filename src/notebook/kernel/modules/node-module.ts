// Node's own class of CommonJS modules, with what its types leave out: text becomes a module without a file.

/** A module that is made here. */
export interface TextModule extends NodeModule {
  _compile(text: string, file: string): void;
}

const Module = require('node:module') as unknown as {
  new (id: string): TextModule;
  _nodeModulePaths(folder: string): string[];
};

/** A module that stands for `file` of the folder `folder`; nothing is run yet. */
export function newModule(file: string, folder: string): TextModule {
  const made = new Module(file);
  made.filename = file;
  made.paths = Module._nodeModulePaths(folder);
  return made;
}
