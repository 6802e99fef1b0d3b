// The readers of notebooks, of the kernel's messages, and of what a job on Ray prints.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { readNotebook, writeNotebook, type CellOutput } from '../../src/notebook/runner/format';
import { OutputCollector } from '../../src/notebook/runner/outputs';
import { injectParameters } from '../../src/notebook/runner/parameters';
import { decodeMessage, encodeMessage, newHeader } from '../../src/notebook/runner/wire';
import { JobLog, outcomeOf } from '../../src/runs/ray/ray-log';
import { fileTarget, outcome, type FuzzTarget, type FuzzTargets } from './target';

function notebookTarget(): FuzzTarget {
  const small = {
    cells: [
      { cell_type: 'code', metadata: { tags: ['parameters'] }, source: ['let seed = 1;\n', 'let {a} = {a: 2}'] },
      { cell_type: 'markdown', metadata: {}, source: '# title' },
      {
        cell_type: 'code',
        id: 'x',
        metadata: {},
        source: 'seed',
        execution_count: 1,
        outputs: [
          { output_type: 'stream', name: 'stdout', text: ['a\n', 'b'] },
          { output_type: 'execute_result', data: { 'text/plain': '1' }, metadata: {}, execution_count: 1 },
          { output_type: 'error', ename: 'E', evalue: 'v', traceback: ['t'] },
        ],
      },
    ],
    metadata: { kernelspec: { name: 'rifle', display_name: 'R', language: 'typescript' } },
    nbformat: 4,
    nbformat_minor: 4,
  };
  return fileTarget({
    name: 'notebooks',
    file: 'fuzz.ipynb',
    seeds: [Buffer.from(JSON.stringify(small)), Buffer.from(JSON.stringify({ ...small, nbformat_minor: 5 }, null, 1))],
    async read(file) {
      const notebook = await outcome(() => readNotebook(file));
      if (notebook === undefined) return;
      await outcome(() => injectParameters(file, notebook, { seed: 2 }));
      await outcome(() => writeNotebook(file, notebook));
      assert.ok(fs.readFileSync(file).length > 0);
    },
  });
}

/** Signed messages: every part is JSON of another form, as another client or a kernel of other hands may send. */
function messageTarget(): FuzzTarget {
  const parts = (type: string, content: Record<string, unknown>): Buffer =>
    Buffer.from(encodeMessage('', newHeader(type, 's'), content).slice(2).join('\n'));
  return {
    name: 'messages',
    seeds: [
      parts('stream', { name: 'stdout', text: 'a\rb\n' }),
      parts('execute_result', { data: { 'text/plain': '1' }, metadata: {}, transient: { display_id: 'd' } }),
      parts('update_display_data', { data: { 'text/plain': '2' }, transient: { display_id: 'd' } }),
      parts('error', { ename: 'E', evalue: 'v', traceback: ['t'] }),
    ],
    run(bytes) {
      const collector = new OutputCollector();
      const outputs: CellOutput[] = [];
      const frames = bytes
        .toString()
        .split('\n')
        .map((part) => Buffer.from(part));
      const message = decodeMessage('', [Buffer.from('<IDS|MSG>'), Buffer.alloc(0), ...frames]);
      if (message === null) return;
      assert.equal(typeof message.header.msg_type, 'string');
      collector.add(outputs, message);
      collector.add(outputs, message);
    },
  };
}

function jobLogTarget(): FuzzTarget {
  const log = [
    'starting',
    '@rifle {"epoch":1}',
    '@rifle {"progress":{"task":"train","done":1,"total":2,"unit":"images"}}',
    '@rifle {"notice":"n"}',
    '@rifle {"id":"0123456789abcdef","reused":false}',
    '@rifle {"error":{"message":"m","fix":"f","fatal":false,"gone":false}}',
    'last',
  ].join('\n');
  return {
    name: 'job-logs',
    seeds: [Buffer.from(log)],
    run(bytes) {
      const text = bytes.toString();
      const reader = new JobLog((news) => assert.equal(Object.keys(news).length, 1));
      const half = Math.floor(text.length / 2);
      for (const piece of [text.slice(0, half), text.slice(half)]) reader.take(piece);
      assert.equal(typeof outcomeOf(text).lastLine, 'string');
    },
  };
}

/** The targets by name, each made when it is asked for. */
export const targets: FuzzTargets = {
  notebooks: notebookTarget,
  messages: messageTarget,
  'job-logs': jobLogTarget,
};
