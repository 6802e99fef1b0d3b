// Unpacking good archives, and refusing bad ones without leaving anything.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { extract, type ExtractOptions } from '../../../src/data/fetch/archive';
import { KitError } from '../../../src/base/errors';
import { makeTar, makeTarGz, makeZip, type Entry } from './archive-makers';
import { filesBelow, useFreshHome } from '../fresh-home';

const kinds = { zip: makeZip, tar: makeTar, 'tar.gz': makeTarGz } as const;

describe('extract', function () {
  this.timeout(60_000); // many small archives: slow on a machine that is busy
  const home = useFreshHome();

  for (const [ending, make] of Object.entries(kinds)) {
    describe(ending, () => {
      const unpack = async (bytes: Buffer, options?: ExtractOptions) => {
        const archive = path.join(home.path, `archive.${ending}`);
        fs.writeFileSync(archive, bytes);
        return extract(archive, path.join(home.path, 'out'), options);
      };
      const refuses = async (entries: Entry[] | Buffer, code: string | RegExp, options?: ExtractOptions) => {
        const bytes = Buffer.isBuffer(entries) ? entries : make(entries);
        await assert.rejects(
          unpack(bytes, options),
          (error: unknown) =>
            error instanceof KitError &&
            (typeof code === 'string' ? error.code === code : code.test(error.code)) &&
            error.message.includes('archive.'),
        );
        assert.deepEqual(fs.readdirSync(home.path), [`archive.${ending}`], 'nothing is left');
      };
      const good: Entry[] = [
        { name: 'a/', kind: 'folder' },
        { name: 'a/one.txt', bytes: Buffer.from('one') },
        { name: 'a/b/large.bin', bytes: Buffer.alloc(5_000_000, 'large') },
        { name: 'empty', bytes: Buffer.alloc(0) },
      ];

      it('unpacks files and folders, and reports them', async () => {
        const reports: number[] = [];
        assert.equal(
          await unpack(make(good), {
            onProgress: ({ done, total }) => reports.push(done / total),
          }),
          3,
        );
        const out = path.join(home.path, 'out');
        assert.deepEqual(filesBelow(out), ['a/b/large.bin', 'a/one.txt', 'empty']);
        assert.equal(fs.readFileSync(path.join(out, 'a/one.txt'), 'utf8'), 'one');
        assert.ok(fs.readFileSync(path.join(out, 'a/b/large.bin')).equals(good[2].bytes!));
        assert.equal(reports.at(-1), 1);
        assert.deepEqual(reports, [...reports].sort());
      });

      it('unpacks only what the filter wants', async () => {
        assert.equal(await unpack(make(good), { filter: (file) => file.endsWith('.txt') }), 1);
        assert.deepEqual(filesBelow(path.join(home.path, 'out')), ['a/one.txt']);
      });

      it('replaces an existing folder', async () => {
        fs.mkdirSync(path.join(home.path, 'out', 'old'), { recursive: true });
        fs.writeFileSync(path.join(home.path, 'out', 'old', 'file'), 'old');
        await unpack(make(good));
        assert.deepEqual(filesBelow(path.join(home.path, 'out')), ['a/b/large.bin', 'a/one.txt', 'empty']);
        assert.equal(fs.readdirSync(home.path).length, 2);
      });

      const x = Buffer.from('x');
      it('refuses a path that climbs out', () =>
        refuses(
          [
            { name: 'ok', bytes: x },
            { name: '../evil', bytes: x },
          ],
          'ARCHIVE_ENTRY_OUTSIDE',
        ));
      it('refuses a path that climbs out from within', () =>
        refuses([{ name: 'a/../../evil', bytes: x }], 'ARCHIVE_ENTRY_OUTSIDE'));
      it('refuses a path that climbs out even where the filter leaves it out', () =>
        refuses([{ name: '../evil', bytes: x }], 'ARCHIVE_ENTRY_OUTSIDE', { filter: () => false }));
      it('refuses an absolute path', () => refuses([{ name: '/tmp/evil', bytes: x }], 'ARCHIVE_ENTRY_OUTSIDE'));
      it('refuses a path with a drive', () => refuses([{ name: 'C:/evil', bytes: x }], 'ARCHIVE_ENTRY_OUTSIDE'));
      it('refuses a path with backslashes that climbs out', () =>
        refuses([{ name: 'a\\..\\..\\evil', bytes: x }], 'ARCHIVE_ENTRY_OUTSIDE'));
      it('refuses a symbolic link', () =>
        refuses(
          [
            { name: 'link', kind: 'symlink', target: '/etc' },
            { name: 'link/evil', bytes: x },
          ],
          'ARCHIVE_ENTRY_LINK',
        ));
      if (ending !== 'zip')
        it('refuses a hard link', () =>
          refuses([{ name: 'link', kind: 'hardlink', target: 'a' }], 'ARCHIVE_ENTRY_LINK'));
      for (const kind of ['character device', 'block device', 'pipe'] as const)
        it(`refuses a ${kind}`, () =>
          refuses(
            [
              { name: 'ok', bytes: x },
              { name: 'node', kind },
            ],
            'ARCHIVE_ENTRY_LINK',
          ));
      it('refuses a link even where the filter leaves it out', () =>
        refuses([{ name: 'link', kind: 'symlink', target: '/etc' }], 'ARCHIVE_ENTRY_LINK', { filter: () => false }));
      it('refuses a name with a zero byte or none', () =>
        refuses([{ name: ending === 'zip' ? 'a\0b' : '/', bytes: x }], /ARCHIVE_(ENTRY_OUTSIDE|DAMAGED)/));
      it('refuses a file that is a folder too', () =>
        refuses(
          [
            { name: 'a', bytes: x },
            { name: 'a/b', bytes: x },
          ],
          /ARCHIVE_(ENTRY_TWICE|DAMAGED)/,
        ));
      it('refuses a size that is not the one that comes', () =>
        refuses([{ name: 'a', bytes: Buffer.alloc(600, 'a'), claimed: 5_000 }], 'ARCHIVE_DAMAGED'));
      it('never takes a piece for the whole, wherever it is cut off', async () => {
        const bytes = make([
          { name: 'a', bytes: Buffer.alloc(700, 'a') },
          { name: 'b/c', bytes: Buffer.alloc(512, 'c') },
        ]);
        for (let length = 0; length < bytes.length; length += ending === 'tar' ? 128 : 7) {
          // The zeros at a tar archive's end may be fewer: one block of them is enough to know that it is whole.
          if (ending === 'tar' && length >= bytes.length - 512) break;
          await refuses(bytes.subarray(0, length), /ARCHIVE_(DAMAGED|KIND_UNKNOWN)/);
          fs.rmSync(path.join(home.path, `archive.${ending}`));
        }
      });

      it('refuses a file that comes twice', () =>
        refuses(
          [
            { name: 'a', bytes: x },
            { name: 'a', bytes: x },
          ],
          'ARCHIVE_ENTRY_TWICE',
        ));
      it('refuses too many files', () =>
        refuses(
          Array.from({ length: 20 }, (_, i) => ({ name: `${i}` })),
          'ARCHIVE_TOO_LARGE',
          { maxFiles: 19 },
        ));
      it('refuses too many bytes', () => refuses(good, 'ARCHIVE_TOO_LARGE', { maxBytes: 4_999_999 }));
      it('refuses an archive that is cut off', () => refuses(make(good).subarray(0, -700), 'ARCHIVE_DAMAGED'));
      it('refuses a file that is no archive', () => refuses(Buffer.alloc(3000, 'no archive'), 'ARCHIVE_KIND_UNKNOWN'));
      it('refuses an empty file', () => refuses(Buffer.alloc(0), 'ARCHIVE_KIND_UNKNOWN'));

      it('stops when aborted, and leaves nothing', async () => {
        const control = new AbortController();
        await assert.rejects(unpack(make(good), { signal: control.signal, onProgress: () => control.abort() }), {
          name: 'AbortError',
        });
        assert.deepEqual(fs.readdirSync(home.path), [`archive.${ending}`]);
      });
    });
  }

  it('refuses a zip whose bytes have changed', async () => {
    const bytes = makeZip([{ name: 'a', bytes: Buffer.alloc(1000, 'a') }]);
    bytes[500] ^= 1;
    const archive = path.join(home.path, 'a.whl');
    fs.writeFileSync(archive, bytes);
    await assert.rejects(extract(archive, path.join(home.path, 'out')), { code: 'ARCHIVE_DAMAGED' });
    assert.deepEqual(fs.readdirSync(home.path), ['a.whl']);
  });

  it('refuses a zip64 whose directory points outside the file', async () => {
    const zip = makeZip([{ name: 'a', bytes: Buffer.from('a') }]);
    for (const offset of [BigInt(zip.length), 2n ** 52n, 2n ** 62n]) {
      const locator = Buffer.alloc(20);
      locator.write('PK\x06\x07', 'latin1');
      locator.writeBigUInt64LE(offset, 8);
      locator.writeUInt32LE(1, 16);
      fs.writeFileSync(
        path.join(home.path, 'a.whl'),
        Buffer.concat([zip.subarray(0, -22), locator, zip.subarray(-22)]),
      );
      await assert.rejects(
        extract(path.join(home.path, 'a.whl'), path.join(home.path, 'out')),
        (error: unknown) => error instanceof KitError && error.code === 'ARCHIVE_DAMAGED',
        String(offset),
      );
      assert.deepEqual(fs.readdirSync(home.path), ['a.whl']);
    }
  });

  it('gives all files the mode 644: nothing can be run, and nothing is locked', async () => {
    const archive = path.join(home.path, 'a.tar');
    fs.writeFileSync(
      archive,
      makeTar([
        { name: 'suid', mode: 0o4755 },
        { name: 'locked', mode: 0 },
      ]),
    );
    await extract(archive, path.join(home.path, 'out'));
    for (const name of ['suid', 'locked'])
      assert.equal(fs.statSync(path.join(home.path, 'out', name)).mode & 0o7777, 0o644, name);
  });

  it('writes every byte of large files, also when their end is known before they are written', async () => {
    const large = Array.from({ length: 3 }, (_, i): Entry => ({
      name: `${i}`,
      bytes: Buffer.alloc(4_200_000 + i * 1_000_003, `large ${i}`),
    }));
    for (const make of [makeTar, makeTarGz, makeZip]) {
      const archive = path.join(home.path, 'a');
      fs.writeFileSync(archive, make(large));
      for (let round = 0; round < 3; round++) {
        await extract(archive, path.join(home.path, 'out'));
        for (const { name, bytes } of large)
          assert.ok(fs.readFileSync(path.join(home.path, 'out', name)).equals(bytes!), `${make.name}, ${name}`);
      }
    }
  });

  it('has written every small file when it returns', async () => {
    const small = Array.from({ length: 100 }, (_, i): Entry => ({
      name: `folder ${i % 7}/${i}`,
      bytes: Buffer.alloc(i * 137, `small ${i}`),
    }));
    for (const make of [makeTar, makeTarGz, makeZip]) {
      const archive = path.join(home.path, 'a');
      fs.writeFileSync(archive, make(small));
      for (let round = 0; round < 3; round++) {
        assert.equal(await extract(archive, path.join(home.path, 'out')), 100);
        for (const { name, bytes } of small)
          assert.ok(fs.readFileSync(path.join(home.path, 'out', name)).equals(bytes!), `${make.name}, ${name}`);
      }
    }
  });

  it('recognises the kind by the bytes, not by the name', async () => {
    for (const [i, make] of [makeZip, makeTar, makeTarGz].entries()) {
      fs.writeFileSync(path.join(home.path, `${i}.bin`), make([{ name: 'a', bytes: Buffer.from('a') }]));
      assert.equal(await extract(path.join(home.path, `${i}.bin`), path.join(home.path, `out${i}`)), 1);
    }
  });

  it('ignores what comes after the end of a tar archive, as tar does', async () => {
    const archive = path.join(home.path, 'a.tar');
    fs.writeFileSync(archive, Buffer.concat([makeTar([{ name: 'a' }]), makeTar([{ name: 'b' }])]));
    await extract(archive, path.join(home.path, 'out'));
    assert.deepEqual(filesBelow(path.join(home.path, 'out')), ['a']);
  });

  it('stops reading at the end of a tar archive', async () => {
    const zeros = Buffer.alloc(64 * 2 ** 20);
    for (const make of [(bytes: Buffer) => bytes, (bytes: Buffer) => gzipSync(bytes, { level: 1 })]) {
      const archive = path.join(home.path, 'a.tar');
      fs.writeFileSync(archive, make(Buffer.concat([makeTar([{ name: 'a' }]), zeros])));
      const start = performance.now();
      await extract(archive, path.join(home.path, 'out'));
      assert.ok(performance.now() - start < 5000);
      assert.deepEqual(filesBelow(path.join(home.path, 'out')), ['a']);
    }
  });

  it('counts entries of unknown types, and refuses them: sparse files, dump folders, volume labels', async () => {
    for (const type of ['S', 'D', 'V', 'M', 'Z']) {
      const bytes = makeTar([{ name: 'a', bytes: Buffer.from('x') }]);
      bytes.write(type, 156, 'latin1');
      bytes.write('        ', 148, 'latin1');
      const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
      bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
      fs.writeFileSync(path.join(home.path, 'a.tar'), bytes);
      const refusal = (error: KitError) => /^ARCHIVE_(ENTRY_LINK|DAMAGED)$/.test(error.code);
      await assert.rejects(extract(path.join(home.path, 'a.tar'), path.join(home.path, 'out')), refusal, type);
    }
  });

  it('gives zip files the mode 644 under any umask', async () => {
    const before = process.umask(0);
    try {
      fs.writeFileSync(path.join(home.path, 'a.zip'), makeZip([{ name: 'a', bytes: Buffer.from('a') }]));
      await extract(path.join(home.path, 'a.zip'), path.join(home.path, 'out'));
    } finally {
      process.umask(before);
    }
    assert.equal(fs.statSync(path.join(home.path, 'out', 'a')).mode & 0o777, 0o644);
  });

  it('refuses another kind of archive, and a missing one', async () => {
    fs.writeFileSync(path.join(home.path, 'a.rar'), Buffer.alloc(1000, 'Rar!'));
    await assert.rejects(extract(path.join(home.path, 'a.rar'), path.join(home.path, 'out')), {
      code: 'ARCHIVE_KIND_UNKNOWN',
    });
    await assert.rejects(extract(path.join(home.path, 'a.zip'), path.join(home.path, 'out')), {
      code: 'ARCHIVE_MISSING',
    });
    assert.deepEqual(fs.readdirSync(home.path), ['a.rar']);
  });
});
