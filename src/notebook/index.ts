// Public entry of src/notebook: rich output in a notebook, and running notebooks.
export { show } from './display/display';
export { memory, MemoryReport } from './display/memory';
export { progressBar } from './display/progress';
export { html, md, type Shown } from './display/tags';
export { install } from './live/install';
export { liveFigure, type LiveFigure, type LiveFigureOptions } from './live/figure';
export { prompt, type PromptOptions } from './live/prompt';
export { slider, type SliderOptions, type SliderState } from './live/slider';
export { liveView, type LiveView } from './live/view';
export { widget, type StateListener, type Widget, type WidgetOptions } from './live/widget';
export { runNotebook, type NotebookResult, type RunNotebookOptions } from './runner/runner';
