// Messages folded into outputs: streams join, displays update in place.
import assert from 'node:assert/strict';
import type { CellOutput } from '../../../src/notebook/runner/format';
import { OutputCollector } from '../../../src/notebook/runner/outputs';
import { newHeader } from '../../../src/notebook/runner/wire';

const message = (type: string, content: Record<string, unknown>) => ({ header: newHeader(type, 's'), content });

describe('OutputCollector', () => {
  it('joins pieces of one stream, keeps streams apart, and lets a carriage return overwrite', () => {
    const outputs: CellOutput[] = [];
    const collector = new OutputCollector();
    for (const [name, text] of [
      ['stdout', 'a'],
      ['stdout', 'b\n10 %\r'],
      ['stdout', '20 %'],
      ['stderr', 'w\n'],
      ['stdout', 'c\r\n'],
    ]) {
      collector.add(outputs, message('stream', { name, text }));
    }
    assert.deepEqual(outputs, [
      { output_type: 'stream', name: 'stdout', text: 'ab\n20 %' },
      { output_type: 'stream', name: 'stderr', text: 'w\n' },
      { output_type: 'stream', name: 'stdout', text: 'c\r\n' },
    ]);
  });

  it('keeps the last state of a display, also when a later cell updates it', () => {
    const first: CellOutput[] = [];
    const second: CellOutput[] = [];
    const collector = new OutputCollector();
    const display = (type: string, text: string) =>
      message(type, { data: { 'text/plain': text }, metadata: {}, transient: { display_id: 'd' } });
    collector.add(first, display('display_data', '1 %'));
    collector.add(second, display('update_display_data', '100 %'));
    collector.add(second, message('update_display_data', { data: {}, transient: { display_id: 'unknown' } }));
    assert.deepEqual(first, [{ output_type: 'display_data', data: { 'text/plain': '100 %' }, metadata: {} }]);
    assert.deepEqual(second, []);
  });

  it('takes time in proportion to the length of a line', () => {
    const seconds = (length: number): number => {
      const outputs: CellOutput[] = [];
      const began = performance.now();
      const collector = new OutputCollector();
      for (const text of ['x'.repeat(length), `${'y'.repeat(length)}\r`, 'z\n'])
        collector.add(outputs, message('stream', { name: 'stdout', text }));
      assert.deepEqual(outputs, [{ output_type: 'stream', name: 'stdout', text: 'z\n' }]);
      return (performance.now() - began) / 1000;
    };
    assert.ok(seconds(3_000_000) < 2, 'a quadratic one takes hours');
    const outputs: CellOutput[] = [];
    const began = performance.now();
    new OutputCollector().add(outputs, message('stream', { name: 'stdout', text: `${'\r'.repeat(1_000_000)}x\n` }));
    assert.deepEqual(outputs, [{ output_type: 'stream', name: 'stdout', text: 'x\n' }]);
    assert.ok(performance.now() - began < 2000, 'nor one of carriage returns');
  });
});
