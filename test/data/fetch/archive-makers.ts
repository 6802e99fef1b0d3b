// Makes small zip and tar archives for tests, good ones and bad ones, byte by byte.
import { crc32, gzipSync } from 'node:zlib';

/** An entry of an archive to be made. */
export interface Entry {
  name: string;
  bytes?: Buffer;
  /** Default `file`. */
  kind?: 'file' | 'folder' | 'symlink' | 'hardlink' | 'character device' | 'block device' | 'pipe';
  /** Permissions. Default 0644. */
  mode?: number;
  /** What a link points to. */
  target?: string;
  /** The size that the header claims, when it lies. */
  claimed?: number;
}

/** A zip archive of stored (not compressed) entries. */
export function makeZip(entries: Entry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes = Buffer.alloc(0), kind = 'file', target, claimed } of entries) {
    const data = kind === 'symlink' ? Buffer.from(target!) : bytes;
    const nameBytes = Buffer.from(name);
    const common = Buffer.alloc(26); // from "version needed" to "extra length", shared by both headers
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(claimed ?? data.length, 14);
    common.writeUInt32LE(claimed ?? data.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), common, nameBytes, data);
    const mode = {
      file: 0o100644,
      folder: 0o040755,
      symlink: 0o120777,
      hardlink: 0o100644,
      'character device': 0o020644,
      'block device': 0o060644,
      pipe: 0o010644,
    }[kind];
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((mode << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, tail, nameBytes);
    offset += 30 + nameBytes.length + data.length;
  }
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(index.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, index, end]);
}

/** A tar.gz archive in the ustar format. */
export const makeTarGz = (entries: Entry[]): Buffer => gzipSync(makeTar(entries));

/** A tar archive in the ustar format. */
export function makeTar(entries: Entry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { name, bytes = Buffer.alloc(0), kind = 'file', target = '', claimed, mode = 0o644 } of entries) {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
    header.write('0000000\0', 108);
    header.write('0000000\0', 116);
    header.write(`${(claimed ?? bytes.length).toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write('        ', 148);
    header.write(
      { file: '0', folder: '5', symlink: '2', hardlink: '1', 'character device': '3', 'block device': '4', pipe: '6' }[
        kind
      ],
      156,
    );
    header.write(target, 157);
    header.write('ustar\x0000', 257, 'latin1');
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    blocks.push(header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** A wheel that pip accepts, of a package that holds `files`. */
export function makeWheel(
  name: string,
  version: string,
  files: Record<string, Buffer>,
): { file: string; bytes: Buffer } {
  const module = name.replace(/-/g, '_');
  const info = `${module}-${version}.dist-info`;
  const entries: Entry[] = [
    ...Object.entries(files).map(([file, bytes]) => ({ name: file, bytes })),
    { name: `${info}/METADATA`, bytes: Buffer.from(`Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`) },
    {
      name: `${info}/WHEEL`,
      bytes: Buffer.from('Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n'),
    },
    { name: `${info}/RECORD`, bytes: Buffer.from('') },
  ];
  return { file: `${module}-${version}-py3-none-any.whl`, bytes: makeZip(entries) };
}
