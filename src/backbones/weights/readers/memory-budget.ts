// How much memory the description of a file's contents may take: a bound in terms of the file's size.
import { KitError } from '../../../base/errors';

/** Most bytes of memory for each byte of the file: a pickled tensor needs about five. */
const perByte = 8;

/** Bytes of memory that every file may use. */
const free = 16 * 2 ** 20;

/** Most bytes of memory for a file of any size: a description of a million tensors needs less. */
const most = 512 * 2 ** 20;

/** Counts the memory of the values of one file, by estimates of the memory that V8 needs for each. */
export class MemoryBudget {
  private left: number;

  /** @param fileBytes size of the file that is read. */
  constructor(private readonly fileBytes: number) {
    this.left = Math.min(free + perByte * fileBytes, most);
  }

  /** Subtracts `bytes`. @throws KitError when the file needs more memory than its size allows. */
  spend(bytes: number): void {
    this.left -= bytes;
    if (this.left >= 0) return;
    throw new KitError(
      `It needs far more memory than a file of ${this.fileBytes} bytes should: it is damaged or harmful.`,
      {
        code: 'WEIGHTS_MEMORY_BOUND',
        fix: 'Save the weights alone, as `torch.save(model.state_dict(), path)` does.',
      },
    );
  }
}
