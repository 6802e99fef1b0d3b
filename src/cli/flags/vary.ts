// `--vary FIELD=VALUE,VALUE`: fields of the runs and the values to try.
import { InvalidArgumentError } from 'commander';

/** Adds the field and the values of `text` to those of earlier flags. */
export function varied(text: string, before: Readonly<Record<string, readonly unknown[]>> = {}) {
  const [, field, list] = /^([\w.]+)=(.+)$/s.exec(text.trim()) ?? [];
  if (field === undefined)
    throw new InvalidArgumentError('Expected FIELD=VALUE,VALUE, for example optimizer.learningRate=0.003,0.01.');
  if (field in before)
    throw new InvalidArgumentError(`The field ${field} is given twice: list its values in one flag.`);
  const values = valuesOf(list);
  if (new Set(values.map((value) => JSON.stringify(value))).size < values.length || values.includes(''))
    throw new InvalidArgumentError('Expected different values, separated by commas.');
  return { ...before, [field]: values };
}

/** JSON values separated by commas; a value that is no JSON is a text. */
function valuesOf(list: string): unknown[] {
  const json = parsed(`[${list}]`);
  return json === undefined ? list.split(',').map((text) => parsed(text) ?? text.trim()) : (json as unknown[]);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
