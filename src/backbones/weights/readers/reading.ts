// What all readers of weights share: their options, and errors that name the file.
import { KitError } from '../../../base/errors';
import type { OnProgress } from '../../../base/progress';
import { quoted } from '../../../base/visible';
import type { ChooseTensors } from './named-tensors';

/** How to read a weights file. */
export interface ReadOptions {
  onProgress?: OnProgress;
  /** Chooses one of the sets of tensors of a checkpoint. */
  choose?: ChooseTensors;
  /** Called for each tensor of an unsupported type, which is then left out. Default: the file is refused. */
  onUnreadable?: (name: string, type: string) => void;
}

/** The fix for a damaged file. */
export const again = 'Fetch or save the file again.';

/** Refuses a tensor of an unsupported type. */
export function unreadable(name: string, type: string): never {
  throw new KitError(
    `Its tensor ${quoted(name)} holds elements of the type ${quoted(type)}, which the kit cannot hold.`,
    {
      code: 'WEIGHTS_ELEMENT_TYPE',
      fix: 'Export the weights as float32.',
    },
  );
}

/** Runs `read`. Its errors get the name of the file and of its format, for example `a PyTorch file`. */
export async function withFileName<T>(file: string, what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const { message, fix } = cause as Error & { fix?: string };
    throw new KitError(`The weights file ${file} cannot be read as ${what}. ${message}`, {
      code: cause instanceof KitError ? cause.code : 'WEIGHTS_UNREADABLE',
      fix: fix || again,
      cause,
    });
  }
}
