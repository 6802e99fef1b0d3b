// The partial file of a download: one process has it at a time, and it outlives the process.
import fsp, { type FileHandle } from 'node:fs/promises';
import { abandonedPartials, partialPath } from '../../base/files/atomic';

/** The version of the remote file that a partial download is of. */
export interface Version {
  /** ETag, else Last-Modified: see `Answer.validator`. */
  validator?: string;
  /** Its size in bytes. */
  total?: number;
}

/** The file beside a partial download that holds its version. */
const note = (file: string): string => `${file}.json`;

async function remove(file: string): Promise<void> {
  await fsp.rm(file, { force: true });
  await fsp.rm(note(file), { force: true });
}

/** A partial download that this process alone writes to. */
export class PartialDownload {
  private handle: FileHandle | undefined;
  private position = 0;

  private constructor(
    private readonly kept: string,
    /** Its path for as long as it is ours. */
    readonly file: string,
    private current: Version,
  ) {}

  /**
   * The partial download of `final`: the one that stands as `<final>.part`, or that a killed process of this machine
   * has left, is claimed by renaming it, which only one process can; without one it begins empty.
   */
  static async claim(final: string): Promise<PartialDownload> {
    const kept = `${final}.part`;
    const file = partialPath(final);
    const abandoned = (await abandonedPartials(final)).filter((name) => !name.endsWith('.json'));
    for (const left of [kept, ...abandoned]) {
      if (
        !(await fsp.rename(left, file).then(
          () => true,
          () => false,
        ))
      )
        continue;
      await fsp.rename(note(left), note(file)).catch(() => undefined);
      break;
    }
    return new PartialDownload(kept, file, await readVersion(file));
  }

  /** The version that its bytes are of. */
  get version(): Version {
    return this.current;
  }

  /** Bytes that are there. */
  async size(): Promise<number> {
    return fsp.stat(this.file).then(
      (stat) => stat.size,
      () => 0,
    );
  }

  /** Makes ready to write from byte `at` on; what stands behind is cut off. */
  async open(at: number, version: Version): Promise<void> {
    this.handle = await fsp.open(this.file, at === 0 ? 'w' : 'r+');
    await this.handle.truncate(at);
    this.position = at;
    if (at > 0) return;
    this.current = version;
    await fsp.writeFile(note(this.file), JSON.stringify(version));
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.handle!.write(bytes, done, bytes.length - done, this.position);
      done += bytesWritten;
      this.position += bytesWritten;
    }
  }

  async close(): Promise<void> {
    await this.handle?.close();
    this.handle = undefined;
  }

  /** Deletes its bytes. */
  async empty(): Promise<void> {
    await this.close();
    await remove(this.file);
    this.current = {};
  }

  /** Renames it to `final`: it is whole. */
  async become(final: string): Promise<void> {
    await this.close();
    await fsp.rename(this.file, final);
    await remove(this.file);
  }

  /** Leaves it, when it holds anything, as `<final>.part` for the next call. */
  async release(): Promise<void> {
    await this.close();
    if ((await this.size()) === 0) return remove(this.file);
    await fsp.rename(this.file, this.kept);
    await fsp.rename(note(this.file), note(this.kept)).catch(() => undefined);
  }
}

async function readVersion(file: string): Promise<Version> {
  try {
    const { validator, total } = JSON.parse(await fsp.readFile(note(file), 'utf8')) as Record<string, unknown>;
    return {
      ...(typeof validator === 'string' && isHeaderValue(validator) && { validator }),
      ...(typeof total === 'number' && { total }),
    };
  } catch {
    return {};
  }
}

/** Whether a text may be sent as a header: a note that was damaged may hold anything. */
const isHeaderValue = (text: string): boolean => /^[\x21-\x7e][\x20-\x7e]{0,500}$/.test(text);
