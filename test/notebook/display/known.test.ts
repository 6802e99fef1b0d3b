// Values of JavaScript libraries, shown by their form.
import assert from 'node:assert/strict';
import { bundleOf } from '../../../src/notebook/display/display';
import { html, md } from '../../../src/notebook/display/tags';

const types = async (value: unknown): Promise<string[]> => Object.keys(await bundleOf(value)).sort();

describe('bundleOf for the values of libraries', () => {
  it('shows bytes of images as images', async () => {
    const png = Buffer.from('iVBORw0KGgo=', 'base64');
    assert.equal((await bundleOf(png))['image/png'], 'iVBORw0KGgo=');
    assert.deepEqual(await types(Uint8Array.from([0xff, 0xd8, 0xff, 0xe0])), ['image/jpeg', 'text/plain']);
    assert.deepEqual(await types(Uint8Array.from([1, 2, 3])), ['text/plain']);
  });

  it('shows elements, charts and bundles', async () => {
    assert.equal((await bundleOf({ outerHTML: '<svg width="1"></svg>' }))['image/svg+xml'], '<svg width="1"></svg>');
    assert.equal((await bundleOf({ outerHTML: '<p>x</p>' }))['text/html'], '<p>x</p>');
    const vega = { $schema: 'https://vega.github.io/schema/vega-lite/v5.json', mark: 'bar', data: { values: [] } };
    assert.deepEqual((await bundleOf(vega))['application/vnd.vegalite.v5+json'], { ...vega, layout: undefined });
    assert.deepEqual(await types({ $schema: 'https://vega.github.io/schema/vega/v6.json' }), [
      'application/vnd.vega.v6+json',
      'text/plain',
    ]);
    assert.deepEqual(await types({ data: [{ y: [1] }], layout: {} }), ['application/vnd.plotly.v1+json', 'text/plain']);
    assert.deepEqual(await types({ data: [1], layout: {} }), ['text/plain']);
    assert.equal((await bundleOf({ 'text/html': '<i>1</i>' }))['text/html'], '<i>1</i>');
  });

  it('shows tables of arquero and frames of polars with their size', async () => {
    const arquero = {
      columnNames: () => ['a', 'b'],
      numRows: () => 5000,
      objects: ({ limit }: { limit: number }) => Array.from({ length: limit }, (_, a) => ({ a, b: `r${a}` })),
    };
    assert.match(String((await bundleOf(arquero))['text/html']), /5000 rows × 2 columns, the first 20 shown/);
    const polars = { columns: ['x'], height: 2, toRecords: () => [{ x: 1 }, { x: 2 }] };
    assert.match(String((await bundleOf(polars))['text/plain']), /2 rows × 1 column$/);
  });

  it('shows text by tags, and cuts a long one', async () => {
    assert.equal((await bundleOf(md`**${2}** images`))['text/markdown'], '**2** images');
    assert.equal((await bundleOf(html`<b>${'<x>'}</b>`))['text/html'], '<b>&lt;x&gt;</b>');
    const long = String((await bundleOf('x'.repeat(2_500_000)))['text/plain']);
    assert.ok(long.length < 101_000 && long.endsWith('… 2.5 million characters, the first 100000 shown'));
  });
});
