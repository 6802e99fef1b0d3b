// The unfinished copy of a download: one process has it at a time, and it outlives the process.
import fsp, { type FileHandle } from 'node:fs/promises';
import { abandonedPartials, partialPath } from '../../base/files/atomic';

/** Where the version of an unfinished copy is noted. */
const note = (file: string): string => `${file}.json`;

async function remove(file: string): Promise<void> {
  await fsp.rm(file, { force: true });
  await fsp.rm(note(file), { force: true });
}

/** An unfinished copy that this process alone writes to. */
export class Part {
  private handle: FileHandle | undefined;
  private position = 0;

  private constructor(
    private readonly shelf: string,
    /** Its path for as long as it is ours. */
    readonly file: string,
    private version: string | undefined,
  ) {}

  /**
   * The unfinished copy of `final`: the one that stands as `<final>.part`, or that a killed process of this machine has
   * left, is made ours
   * by renaming it, which only one process can; without one it begins empty.
   */
  static async claim(final: string): Promise<Part> {
    const shelf = `${final}.part`;
    const file = partialPath(final);
    const abandoned = (await abandonedPartials(final)).filter((name) => !name.endsWith('.json'));
    for (const left of [shelf, ...abandoned]) {
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
    return new Part(shelf, file, await readVersion(file));
  }

  /** What tells the version of the file that its bytes are of (see `Answer.validator`). */
  get validator(): string | undefined {
    return this.version;
  }

  /** Bytes that are there. */
  async size(): Promise<number> {
    return fsp.stat(this.file).then(
      (stat) => stat.size,
      () => 0,
    );
  }

  /** Makes ready to write from byte `at` on; what stands behind is cut off. */
  async open(at: number, validator: string | undefined): Promise<void> {
    this.handle = await fsp.open(this.file, at === 0 ? 'w' : 'r+');
    await this.handle.truncate(at);
    this.position = at;
    if (at > 0) return;
    this.version = validator;
    await fsp.writeFile(note(this.file), JSON.stringify({ validator }));
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

  /** Throws its bytes away. */
  async empty(): Promise<void> {
    await this.close();
    await remove(this.file);
    this.version = undefined;
  }

  /** Renames it to `final`: it is whole. */
  async become(final: string): Promise<void> {
    await this.close();
    await fsp.rename(this.file, final);
    await remove(this.file);
  }

  /** Leaves it, when it holds anything, as `<final>.part` to whoever comes next. */
  async release(): Promise<void> {
    await this.close();
    if ((await this.size()) === 0) return remove(this.file);
    await fsp.rename(this.file, this.shelf);
    await fsp.rename(note(this.file), note(this.shelf)).catch(() => undefined);
  }
}

async function readVersion(file: string): Promise<string | undefined> {
  try {
    const { validator } = JSON.parse(await fsp.readFile(note(file), 'utf8')) as { validator?: unknown };
    return typeof validator === 'string' ? validator : undefined;
  } catch {
    return undefined;
  }
}
