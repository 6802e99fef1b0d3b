// Widgets of cells: an anywidget module in the browser, whose state both sides read and set.
import { randomUUID } from 'node:crypto';
import util from 'node:util';
import { KitError } from '../../base/errors';
import { notebookHost, type Comm } from '../../base/notebook-host';
import type { MimeBundle } from '../runner/format';
import { insertBuffers, takeBuffers, type BufferPath } from './buffers';

/** What a widget is made of. */
export interface WidgetOptions<State extends object> {
  /**
   * The text of an ES module, as anywidget defines it: `export default { render({ model, el }) { ... } }`. It reads
   * `model.get(name)`, writes `model.set(name, value)` with `model.save_changes()`, and listens with
   * `model.on('change:name', ...)`.
   */
  esm: string;
  /** Style sheet. Default none. */
  css?: string;
  /** First values by name: JSON, or bytes. Names that begin with `_` belong to Jupyter. Default none. */
  state?: State;
}

/** Receives a change that was made in the browser. */
export type StateListener<State> = (state: Readonly<State>, changed: readonly (keyof State)[]) => void | Promise<void>;

/** Major version of the protocol of Jupyter's widgets. */
const PROTOCOL = '2.1.0';

/** A widget: shown when it is the last expression of a cell, or by `show`. */
export class Widget<State extends object> {
  private readonly values: State;
  private readonly listeners = new Set<StateListener<State>>();
  private readonly id = randomUUID();
  private readonly comm: Comm | null;

  /** Use `widget()`. */
  constructor(private readonly options: WidgetOptions<State>) {
    const { esm, state } = options;
    if (typeof esm !== 'string' || esm.trim() === '')
      throw new KitError('A widget: expected the text of an ES module as `esm`, found none.', {
        code: 'WIDGET_WITHOUT_MODULE',
        fix: 'Give `esm: "export default { render({ model, el }) { ... } }"`.',
      });
    this.values = { ...state } as State;
    for (const name of Object.keys(this.values)) requireName(name);
    this.comm = this.open();
  }

  /** The values as they are now, the person's changes included. */
  get state(): Readonly<State> {
    return this.values;
  }

  /** Changes values here and in the browser. */
  set(changes: Partial<State>): void {
    for (const name of Object.keys(changes)) requireName(name);
    Object.assign(this.values, changes);
    const { value, paths, buffers } = takeBuffers(changes);
    this.comm?.send({ method: 'update', state: value, buffer_paths: paths }, buffers);
  }

  /**
   * Calls `listener` after each change in the browser. What it prints and shows goes below the cell that made the
   * widget. @returns a function that ends this.
   */
  onChange(listener: StateListener<State>): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Sends a message that is not state: `model.on('msg:custom', (content, buffers) => ...)` receives it. */
  send(content: unknown, buffers?: Uint8Array[]): void {
    this.comm?.send({ method: 'custom', content }, buffers);
  }

  /** Removes the widget from the page. */
  close(): void {
    this.comm?.close();
  }

  /** What a notebook shows. Outside a notebook and in headless runs: the values as text. */
  [Symbol.for('Jupyter.display')](): MimeBundle {
    const text = `Widget ${util.inspect(this.values)}`;
    if (this.comm === null) return { 'text/plain': text };
    const view = { version_major: 2, version_minor: 0, model_id: this.id };
    return { 'application/vnd.jupyter.widget-view+json': view, 'text/plain': text };
  }

  [util.inspect.custom](): string {
    return `Widget ${util.inspect(this.values)}`;
  }

  private open(): Comm | null {
    const host = notebookHost();
    if (host === null || !host.isInteractive) return null;
    const { value, paths, buffers } = takeBuffers(this.whole());
    return host.openComm({
      id: this.id,
      target: 'jupyter.widget',
      data: { state: value, buffer_paths: paths },
      metadata: { version: PROTOCOL },
      buffers,
      onMessage: (data, sent) => this.receive(data, sent),
      onClose: () => this.listeners.clear(),
    });
  }

  /** The state in Jupyter's terms. */
  private whole(): Record<string, unknown> {
    const { esm, css } = this.options;
    const ofWidget = { _module: 'anywidget', _module_version: '*' };
    return {
      ...this.values,
      _esm: esm,
      ...(css === undefined ? {} : { _css: css }),
      _anywidget_id: this.id,
      _model_name: 'AnyModel',
      _model_module: ofWidget._module,
      _model_module_version: ofWidget._module_version,
      _view_name: 'AnyView',
      _view_module: ofWidget._module,
      _view_module_version: ofWidget._module_version,
      _view_count: null,
      _dom_classes: [],
      layout: null,
      tabbable: null,
      tooltip: null,
    };
  }

  private async receive(data: Record<string, unknown>, sent: Uint8Array[]): Promise<void> {
    if (data.method === 'request_state') {
      const { value, paths, buffers } = takeBuffers(this.whole());
      this.comm?.send({ method: 'update', state: value, buffer_paths: paths }, buffers);
    }
    if (data.method !== 'update' || typeof data.state !== 'object' || data.state === null) return;
    const changes = insertBuffers(data.state, (data.buffer_paths ?? []) as BufferPath[], sent);
    const changed = Object.keys(changes).filter((name) => Object.hasOwn(this.values, name)) as (keyof State)[];
    for (const name of changed) this.values[name] = (changes as State)[name];
    // Another browser that shows the widget learns of the change from this.
    this.comm?.send({ method: 'echo_update', state: data.state, buffer_paths: data.buffer_paths ?? [] }, sent);
    if (changed.length === 0) return;
    for (const listener of this.listeners) await listener(this.values, changed);
  }
}

function requireName(name: string): void {
  if (!name.startsWith('_') && !['layout', 'tabbable', 'tooltip'].includes(name)) return;
  throw new KitError(`A widget: the name "${name}" belongs to Jupyter.`, {
    code: 'WIDGET_STATE_NAME',
    fix: 'Choose another name for this value.',
  });
}

/**
 * A widget whose state is in step here and in the browser, by anywidget.
 * @throws KitError WIDGET_WITHOUT_MODULE, WIDGET_STATE_NAME.
 */
export const widget = <State extends object = Record<string, unknown>>(options: WidgetOptions<State>): Widget<State> =>
  new Widget(options);
