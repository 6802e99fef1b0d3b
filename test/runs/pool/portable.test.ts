// Specs that other processes cannot make: their definitions have no file.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import vm from 'node:vm';
import { loadExtensions } from '../../../src/base/definitions/load';
import type { KitError } from '../../../src/base/errors';
import { defineMethod, defineTrick } from '../../../src/extend';
import { runPool } from '../../../src/runs/pool/pool';
import { requireFiles } from '../../../src/runs/pool/portable';
import { runOnRay } from '../../../src/runs/ray/ray-pool';
import { methods } from '../../../src/transfer/methods';
import { parseRunSpec, type RunSpecInput } from '../../../src/transfer/spec/spec';
import { tricks } from '../../../src/transfer/tricks/trick';

describe('definitions without a file', () => {
  const input: RunSpecInput = { dataset: 'elpv', backbone: 'efficientnet_lite0.tf_in1k' };
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-portable-')));
  const file = path.join(folder, 'gone.js');
  before(async () => {
    // Code without a file, as a cell has it.
    const inCell = vm.runInThisContext('(define, definition) => define(definition)', { filename: 'cell-1' }) as (
      define: unknown,
      definition: object,
    ) => void;
    inCell(defineTrick, { name: 'portable/My trick!'.replaceAll(' ', '-') });
    inCell(defineMethod, { name: 'portable/method', tricks: [{ name: 'dropout', rate: 0.77 }] });
    fs.writeFileSync(file, `require('rifle-kit/extend').defineTrick({ name: 'portable/gone' });`);
    await loadExtensions([file]);
  });
  after(() => {
    fs.rmSync(folder, { recursive: true, force: true });
    for (const name of ['portable/My-trick!', 'portable/gone']) tricks.remove(name);
  });
  const refusal = (spec: RunSpecInput): KitError | undefined => {
    try {
      requireFiles([parseRunSpec(input), parseRunSpec(spec)]);
    } catch (error) {
      return error as KitError;
    }
    return undefined;
  };

  it('are named, with the file to move them to', () => {
    const error = refusal({ ...input, tricks: [{ name: 'portable/My-trick!' }] })!;
    assert.equal(error.code, 'DEFINITION_WITHOUT_FILE');
    assert.match(error.message, /The trick "portable\/My-trick!" exists only in a notebook cell/);
    assert.match(error.fix, /extensions\/My-trick-\.ts/);
    assert.match(refusal(methods.apply('portable/method', input))!.message, /method "portable\/method"/);
  });

  it('count only for specs that use them, and while their file is missing', () => {
    assert.equal(refusal({ ...input, tricks: [{ name: 'dropout', rate: 0.7 }] }), undefined);
    const spec = { ...input, tricks: [{ name: 'portable/gone' }] };
    assert.equal(refusal(spec), undefined);
    fs.rmSync(file);
    assert.match(refusal(spec)!.message, /was defined in .*gone\.js, which no longer exists/);
  });

  it('are refused by the pool and by Ray before anything starts', async () => {
    const specs = [parseRunSpec({ ...input, tricks: [{ name: 'portable/My-trick!' }] })];
    await assert.rejects(runPool(specs, { runs: path.join(folder, 'runs') }), { code: 'DEFINITION_WITHOUT_FILE' });
    const url = 'http://127.0.0.1:1';
    await assert.rejects(runOnRay(specs, { url, runs: path.join(folder, 'runs') }), {
      code: 'DEFINITION_WITHOUT_FILE',
    });
    assert.equal(fs.existsSync(path.join(folder, 'runs')), false);
  });
});
