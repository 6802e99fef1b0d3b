import assert from 'node:assert/strict';
import { Table } from '../../../src/report/table/tabular';

describe('a table as Markdown', () => {
  it('has its columns and rows, right-aligned numbers, and texts that are no markup', () => {
    const table = new Table({
      title: 'Title',
      caption: 'Caption',
      columns: [
        { key: 'set', title: 'Set', hoist: true },
        { key: 'name', title: 'Name' },
        { key: 'top1', title: 'Top-1', unit: '%', kind: 'spread', digits: 1 },
        { key: 'more', title: 'More', dataOnly: true },
      ],
      rows: [
        { set: 'a', name: 'x|y *z*', top1: [81.3, 0.5], more: 1 },
        { set: 'a', name: 'b', top1: null, more: 2 },
      ],
      notes: ['Note'],
    });
    assert.equal(table.toMarkdown(), '| Name | Top-1 (%) |\n| --- | ---: |\n| x\\|y \\*z\\* | 81.3 ± 0.5 |\n| b | – |');
  });
});
