// Fetching and unpacking: a wrong hash is refused, nothing stays behind, and no member leaves its folder.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Problem } from '../../setup/problem.mjs';
import { hashOfFile } from '../../setup/stamp.mjs';
import { fetchWheel, unpackWheel } from '../../setup/wheel.mjs';
import { makeWheel, makeZip, scratchFolder, testContext } from './scratch.mjs';

const ALL = [['(.*)', String.raw`\1`]];

describe('fetchWheel', () => {
  const scratch = scratchFolder();
  let home, wheels, context, pin;
  beforeEach(() => {
    [home, wheels] = ['home', 'wheels'].map((name) => path.join(scratch.path, name));
    fs.mkdirSync(wheels);
    context = testContext(home, wheels);
    pin = makeWheel(wheels);
  });
  const left = () => (fs.existsSync(path.join(home, 'cache')) ? fs.readdirSync(path.join(home, 'cache')) : []);

  it('gets the pinned file through pip and gives it back', async () => {
    const sha256 = await hashOfFile(path.join(wheels, pin.file));
    const { file, release } = await fetchWheel({ ...pin, sha256 }, context);
    assert.equal(await hashOfFile(file), sha256);
    release();
    assert.deepEqual(left(), []);
  }).timeout(20_000);

  it('refuses a file with another hash, says so, and keeps nothing', async () => {
    const sha256 = crypto.createHash('sha256').update('another file').digest('hex');
    await assert.rejects(fetchWheel({ ...pin, sha256 }, context), (error) => {
      assert.ok(error instanceof Problem);
      assert.match(error.message, /pip could not fetch tiny_engine-1\.0-py3-none-any\.whl/);
      assert.match(error.fix, new RegExp(`does not have the pinned sha256 ${sha256}`));
      return true;
    });
    assert.deepEqual(left(), []);
  }).timeout(20_000);

  it('says that the index does not offer the file', async () => {
    await assert.rejects(
      fetchWheel({ ...pin, version: '2.0', file: 'tiny_engine-2.0-py3-none-any.whl', sha256: '0'.repeat(64) }, context),
      (error) => {
        assert.match(error.fix, /does not offer tiny_engine-2\.0/);
        return true;
      },
    );
    assert.deepEqual(left(), []);
  }).timeout(20_000);

  it('says that the index was not reached', async () => {
    const { PIP_NO_INDEX, ...env } = context.env;
    // nothing listens there
    Object.assign(env, { PIP_INDEX_URL: 'http://127.0.0.1:9/simple', PIP_RETRIES: '1', PIP_FIND_LINKS: '' });
    await assert.rejects(fetchWheel({ ...pin, sha256: '0'.repeat(64) }, { ...context, env }), (error) =>
      /was not reached/.test(error.fix),
    );
    assert.deepEqual(left(), []);
  }).timeout(20_000);

  it('uses a file of the cache that has the pinned hash, and leaves it there', async () => {
    fs.mkdirSync(path.join(home, 'cache'), { recursive: true });
    const kept = path.join(home, 'cache', pin.file);
    fs.copyFileSync(path.join(wheels, pin.file), kept);
    fs.rmSync(path.join(wheels, pin.file)); // pip could not get it
    const { file, release } = await fetchWheel({ ...pin, sha256: await hashOfFile(kept) }, context);
    assert.equal(file, kept);
    release();
    assert.ok(fs.existsSync(kept));
  });

  it('does not use a file of the cache that has another hash', async () => {
    fs.mkdirSync(path.join(home, 'cache'), { recursive: true });
    fs.writeFileSync(path.join(home, 'cache', pin.file), 'truncated');
    const sha256 = await hashOfFile(path.join(wheels, pin.file));
    const { file, release } = await fetchWheel({ ...pin, sha256 }, context);
    assert.equal(await hashOfFile(file), sha256);
    release();
  }).timeout(20_000);
});

describe('unpackWheel', () => {
  const scratch = scratchFolder();
  const unpack = async (members, rules = ALL) => {
    const [archive, folder] = ['test.whl', 'out'].map((name) => path.join(scratch.path, name));
    makeZip(archive, members);
    return {
      folder,
      count: await unpackWheel(archive, folder, rules, testContext(path.join(scratch.path, 'home'), scratch.path)),
    };
  };

  it('writes the members that a rule fits, and no other', async () => {
    const { folder, count } = await unpack(
      { 'engine/lib/a.so': 'library', 'engine/include/a.h': 'header', 'engine/a.py': 'program' },
      [
        ['engine/(lib/.*)', String.raw`\1`],
        ['engine/include/(.*)', String.raw`headers/\1`],
      ],
    );
    assert.equal(count, 2);
    assert.deepEqual(fs.readdirSync(folder, { recursive: true }).sort(), ['headers', 'headers/a.h', 'lib', 'lib/a.so']);
    assert.equal(fs.readFileSync(path.join(folder, 'lib', 'a.so'), 'utf8'), 'library');
  });

  for (const name of ['../escaped', 'lib/../../escaped', '/tmp/escaped', 'lib/./a', 'lib//a', 'lib\\..\\escaped']) {
    it(`refuses a member named ${name}`, async () => {
      await assert.rejects(
        unpack({ [name]: 'x' }),
        (error) => error instanceof Problem && /outside the folder/.test(error.output.join('\n')),
      );
      assert.deepEqual(
        fs.readdirSync(scratch.path).filter((entry) => entry === 'escaped'),
        [],
      );
      assert.ok(!fs.existsSync('/tmp/escaped'));
    });
  }

  it('refuses a link', async () => {
    await assert.rejects(unpack({ 'lib/a.so': '->/etc/passwd' }), (error) => /is a link/.test(error.output.join('\n')));
  });

  it('refuses a damaged archive', async () => {
    const archive = path.join(scratch.path, 'test.whl');
    makeZip(archive, { 'lib/a.so': 'library'.repeat(1000) });
    const bytes = fs.readFileSync(archive);
    bytes[60] ^= 0xff; // inside the compressed member
    fs.writeFileSync(archive, bytes);
    await assert.rejects(
      unpackWheel(
        archive,
        path.join(scratch.path, 'out'),
        ALL,
        testContext(path.join(scratch.path, 'home'), scratch.path),
      ),
      Problem,
    );
  });
});
