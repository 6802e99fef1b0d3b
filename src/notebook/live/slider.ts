// A slider for a number, ready made.
import { KitError } from '../../base/errors';
import { widget, type Widget } from './widget';

/** The range of a slider. */
export interface SliderOptions {
  /** Text before it. Default none. */
  label?: string;
  /** Least value. Default 0. */
  min?: number;
  /** Greatest value. Default 1. */
  max?: number;
  /** Between two values. Default a hundredth of the range. */
  step?: number;
  /** First value. Default `min`. */
  value?: number;
}

/** The state of a slider. */
export type SliderState = Required<SliderOptions>;

const ESM = `export default {
  render({ model, el }) {
    const label = document.createElement('label');
    const input = document.createElement('input');
    const output = document.createElement('output');
    input.type = 'range';
    const draw = () => {
      for (const name of ['min', 'max', 'step', 'value']) input[name] = model.get(name);
      output.value = String(model.get('value'));
    };
    input.addEventListener('input', () => {
      model.set('value', Number(input.value));
      model.save_changes();
    });
    model.on('change', draw);
    draw();
    label.append(model.get('label'), input, output);
    label.className = 'rifle-slider';
    el.append(label);
  },
};
`;

const CSS = `.rifle-slider { display: flex; gap: 0.6em; align-items: center; }
.rifle-slider input { width: 18em; }
`;

/**
 * A slider: `onChange` calls a function with each new `state.value`.
 * @throws KitError SLIDER_RANGE when `min` is not below `max`, `step` is not positive or `value` is outside.
 */
export function slider(options: SliderOptions = {}): Widget<SliderState> {
  const { label = '', min = 0, max = 1, step = (max - min) / 100, value = min } = options;
  if (!(min < max && step > 0 && value >= min && value <= max))
    throw new KitError(
      `A slider: expected min < max, step > 0 and min <= value <= max, found ${[min, max, step, value].join(', ')}.`,
      { code: 'SLIDER_RANGE', fix: 'Correct min, max, step or value, in this order.' },
    );
  return widget({ esm: ESM, css: CSS, state: { label, min, max, step, value } });
}
