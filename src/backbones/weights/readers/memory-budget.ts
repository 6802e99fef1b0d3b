// How much memory the description of a file's contents may take: a bound in terms of the file's size.
import { KitError } from '../../../base/errors';

/** Bytes of memory that may be spent for each byte of the file: a pickled tensor takes about five. */
const perByte = 8;

/** Bytes of memory that any file may spend, in bytes. */
const free = 16 * 2 ** 20;

/** Most bytes of memory, whatever the file's size: a description of a million tensors needs less. */
const most = 512 * 2 ** 20;

/** Counts the memory that the values of one file take, by estimates of what V8 takes for each. */
export class MemoryBudget {
  private left: number;

  /** @param fileBytes size of the file that is read. */
  constructor(private readonly fileBytes: number) {
    this.left = Math.min(free + perByte * fileBytes, most);
  }

  /** Takes `bytes` off. @throws KitError when the file asks for more memory than its size allows. */
  spend(bytes: number): void {
    this.left -= bytes;
    if (this.left >= 0) return;
    throw new KitError(`It asks for far more memory than its ${this.fileBytes} bytes need: it is damaged or harmful.`, {
      code: 'WEIGHTS_MEMORY_BOUND',
      fix: 'Save the weights alone, as `torch.save(model.state_dict(), path)` does.',
    });
  }
}
