// Tells what kind of archive a file is by its first bytes, since names do not always say.
import fsp from 'node:fs/promises';

/** The kinds that can be unpacked; `tar.gz` is any gzip file, whose content turns out to be a tar archive or not. */
export type ArchiveKind = 'zip' | 'tar' | 'tar.gz';

/** The kind of the archive `file`; undefined when it is none. */
export async function archiveKind(file: string): Promise<ArchiveKind | undefined> {
  const handle = await fsp.open(file);
  try {
    const head = Buffer.alloc(512);
    const { bytesRead } = await handle.read(head, 0, 512, 0);
    if (bytesRead >= 4 && head.readUInt32BE(0) === 0x504b0304) return 'zip';
    if (bytesRead >= 4 && head.readUInt32BE(0) === 0x504b0506) return 'zip'; // an empty one
    if (bytesRead >= 2 && head.readUInt16BE(0) === 0x1f8b) return 'tar.gz';
    return bytesRead === 512 && isTarHeader(head) ? 'tar' : undefined;
  } finally {
    await handle.close();
  }
}

/** Whether 512 bytes are the header of a tar entry: its check sum says so. */
function isTarHeader(head: Buffer): boolean {
  const stated = parseInt(head.toString('latin1', 148, 156).replace(/\0.*$/, '').trim(), 8);
  const sum = head.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  return stated === sum;
}
