// Widgets without a browser: the messages that go out, and what comes back.
import assert from 'node:assert/strict';
import type { KitError } from '../../../src/base/errors';
import { becomeNotebookHost, notebookHost, type CommOptions, type NotebookHost } from '../../../src/base/notebook-host';
import { slider } from '../../../src/notebook/live/slider';
import { widget } from '../../../src/notebook/live/widget';

const esm = 'export default { render() {} }';
const withCode = (code: string) => (error: KitError) => error.code === code;

describe('widgets', () => {
  const before_ = notebookHost();
  let opened: CommOptions[];
  let sent: { data: Record<string, unknown>; buffers?: Uint8Array[] }[];
  beforeEach(() => {
    opened = [];
    sent = [];
    becomeNotebookHost({
      isInteractive: true,
      openComm: (options: CommOptions) => {
        opened.push(options);
        return {
          send: (data: Record<string, unknown>, buffers?: Uint8Array[]) => sent.push({ data, buffers }),
          close: () => options.onClose(),
        };
      },
    } as unknown as NotebookHost);
  });
  afterEach(() => becomeNotebookHost(before_ as NotebookHost));

  it('send what is set, and take what the browser sets, bytes included', async () => {
    const made = widget({ esm, css: 'p {}', state: { n: 1, pixels: new Uint8Array([1, 2]) } });
    const { state, buffer_paths: paths } = opened[0].data as { state: Record<string, unknown>; buffer_paths: unknown };
    assert.deepEqual([state.n, state.pixels, state._esm, state._css], [1, null, esm, 'p {}']);
    assert.deepEqual([paths, opened[0].buffers], [[['pixels']], [new Uint8Array([1, 2])]]);

    made.set({ n: 2 });
    assert.deepEqual(sent.pop()?.data, { method: 'update', state: { n: 2 }, buffer_paths: [] });
    const seen: unknown[] = [];
    const end = made.onChange(({ n }, changed) => void seen.push(n, changed));
    const update = { method: 'update', state: { n: 3, other: 1 }, buffer_paths: [] };
    await opened[0].onMessage(update, []);
    assert.deepEqual(seen, [3, ['n']]);
    assert.equal(sent.pop()?.data.method, 'echo_update');
    end();
    await opened[0].onMessage(
      { method: 'update', state: { pixels: null, __proto__: { n: 9 } }, buffer_paths: [['pixels'], ['no', 'where']] },
      [new Uint8Array([7]), new Uint8Array([8])],
    );
    assert.deepEqual([seen.length, made.state], [2, { n: 3, pixels: new Uint8Array([7]) }]);
    await opened[0].onMessage({ method: 'request_state' }, []);
    assert.equal((sent.pop()?.data.state as Record<string, unknown>).n, 3, 'a page that is loaded again has it');
    for (const odd of [{}, { method: 'update', state: 3 }, { method: 'update', state: null }])
      await opened[0].onMessage(odd, []);
  });

  it('refuse what cannot be one', () => {
    assert.throws(() => widget({ esm: ' ' }), withCode('WIDGET_WITHOUT_MODULE'));
    assert.throws(() => widget({ esm, state: { layout: 1 } }), withCode('WIDGET_STATE_NAME'));
    assert.throws(() => widget({ esm }).set({ _esm: 'x' }), withCode('WIDGET_STATE_NAME'));
    for (const range of [{ min: 1 }, { step: 0 }, { value: 2 }, { max: NaN }])
      assert.throws(() => slider(range), withCode('SLIDER_RANGE'));
  });

  it('are text where no browser is', () => {
    becomeNotebookHost(null as unknown as NotebookHost);
    const shown = (slider({ value: 0.25 }) as unknown as Record<symbol, () => object>)[Symbol.for('Jupyter.display')]();
    assert.deepEqual(shown, {
      'text/plain': "Widget { label: '', min: 0, max: 1, step: 0.01, value: 0.25 }",
    });
  });
});
