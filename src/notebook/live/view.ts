// One output of a notebook that is replaced in place.
import { bundleOf, inPlace, kernelPublish, show, type ShowOptions } from '../display/display';

/** An output that shows one value after the other. */
export interface LiveView {
  /** Shows `value` in place of the value before it. The first call makes the output, below the cell that runs. */
  show(value: unknown, options?: ShowOptions): Promise<void>;
}

/** A place for values that change, for example the table that a slider filters. Outside a notebook each is printed. */
export function liveView(): LiveView {
  const publish = kernelPublish();
  const replaceBy = publish && inPlace(publish);
  let last: Promise<unknown> = Promise.resolve();
  const replace = async (value: unknown, options?: ShowOptions): Promise<void> => {
    if (replaceBy === null) return show(value, options);
    replaceBy(await bundleOf(await value, options));
  };
  return {
    // In the order of the calls, also when an earlier value takes longer to draw.
    show: (value, options) => {
      const shown = last.then(() => replace(value, options));
      last = shown.catch(() => undefined);
      return shown;
    },
  };
}
