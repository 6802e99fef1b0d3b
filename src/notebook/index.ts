// Public entry of src/notebook: rich output in a notebook, and running notebooks.
export { show } from './display/display';
export { memory, MemoryReport } from './display/memory';
export { progressBar } from './display/progress';
export { html, md, type Shown } from './display/tags';
export { runNotebook, type NotebookResult, type RunNotebookOptions } from './runner/runner';
