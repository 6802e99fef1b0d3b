// `rifle data` in a home of the test's own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../src/base/home';
import { makeImageFolder } from '../data/fresh-home';

const MAIN = path.join(packageRoot(), 'dist', 'src', 'cli', 'main.js');

describe('rifle data', function () {
  this.timeout(60_000);
  let home: string;
  before(async () => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-cli-data-'));
    await makeImageFolder(path.join(home, 'photos'), { train: { a: 3, b: 2 }, test: { a: 1, b: 1 } });
  });
  after(() => fs.rmSync(home, { recursive: true, force: true }));
  const rifle = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'data', ...args], {
      encoding: 'utf8',
      cwd: home,
      env: { ...process.env, NO_COLOR: '1', COLUMNS: '400', RIFLE_HOME: path.join(home, 'home') },
      timeout: 60_000,
    });
    return { status, stdout, stderr };
  };

  it('lists classes, counts, bytes, licence and state, for people and for machines', () => {
    const { status, stdout } = rifle('list');
    assert.equal(status, 0);
    assert.match(stdout, /stanford-cars +196 +8144 +8041 +1957\.1 MB +non-commercial research +missing, by hand/);
    assert.match(stdout, /fgvc-aircraft +100 +6667 +3333 +not known /);
    const some = JSON.parse(rifle('list', 'DTD', 'birds', '--json').stdout) as {
      name: string;
      bytes: number;
      byHand: boolean;
      state: string;
      licence: string;
      counts: object;
    }[];
    assert.deepEqual(
      some.map(({ name }) => name),
      ['cub-200-2011', 'dtd', ...Array.from({ length: 9 }, (_, i) => `dtd-fold-${i + 2}`)],
    );
    assert.deepEqual(
      [some[0].bytes, some[0].byHand, some[0].state, some[0].counts],
      [1150585339, false, 'missing', { train: 5994, test: 5794 }],
    );
  });

  it('says what to fetch by hand and where to put it, and what was wrong with what was brought', () => {
    const { status, stderr, stdout } = rifle('prepare', 'stanford-cars');
    assert.deepEqual([status, stdout], [1, '']);
    for (const part of [
      'cars_train.tgz (979269282 bytes, sha256 512b227b',
      'car_devkit.tgz',
      'npx rifle data prepare stanford-cars --from DIR',
    ])
      assert.ok(stderr.includes(part), stderr);
    const brought = rifle('prepare', 'stanford-cars', '--from', 'photos');
    assert.equal(brought.status, 1);
    assert.match(
      brought.stderr,
      /not recognised as the data set stanford-cars: (Its class "a" is none of Stanford Cars|The file cars_meta\.mat is missing)/,
    );
    assert.doesNotMatch(brought.stderr, /\n\s+at /);
    assert.ok(!fs.existsSync(path.join(home, 'home', 'data', 'stanford-cars')));
  });

  it('prepares and verifies a folder', () => {
    const made = JSON.parse(rifle('prepare', './photos', '--json').stdout) as {
      train: number;
      test: number;
      hash: string;
      verified: null;
    };
    assert.deepEqual([made.train, made.test, made.verified], [5, 2, null]);
    assert.equal((JSON.parse(rifle('verify', './photos', '--json').stdout) as { hash: string }).hash, made.hash);
  });

  it('has help with examples', () => {
    for (const command of ['list', 'prepare', 'verify'])
      assert.match(rifle(command, '--help').stdout, /Examples?:\n {2}\$ npx rifle data/);
  });
});
