// A tensor for a notebook: shape, data type, size, and its first values.
import type { TF } from '../../engine/tensorflow';

/** Rows and columns that are shown. */
const CORNER = 6;

/** Whether `value` is a tensor or a variable, of any copy of TensorFlow.js. */
export function isTensor(value: unknown): value is TF.Tensor {
  return (
    typeof value === 'object' &&
    value !== null &&
    'dataId' in value &&
    'shape' in value &&
    'dtype' in value &&
    'dataSync' in value
  );
}

/** `Tensor float32 [2, 3]`, its bytes, and the first values of its last two dimensions. Leaves no tensor. */
export function tensorText(tensor: TF.Tensor): string {
  const { shape, dtype, size } = tensor;
  const kind = 'assign' in tensor ? `Variable ${(tensor as TF.Variable).name}` : 'Tensor';
  const head = `${kind} ${dtype} [${shape.join(', ')}]`;
  if (tensor.isDisposed) return `${head}, disposed`;
  const values = `${size} ${size === 1 ? 'value' : 'values'}`;
  if (size === 0 || dtype === 'complex64') return `${head}, ${values}`;
  if (shape.length === 0) return `${head}: ${numberText(tensor.dataSync()[0])}`;
  const outer = shape.length - 2;
  const shown = shape.map((length, axis) => (axis < outer ? 1 : Math.min(length, CORNER)));
  const part = tensor.slice(
    shape.map(() => 0),
    shown,
  );
  const data = [...(part.dataSync() as unknown as (number | string)[])].map(numberText);
  part.dispose();
  const columns = shown.at(-1)!;
  const width = Math.max(...data.map((text) => text.length));
  const more = shape.at(-1)! > columns ? '  …' : '';
  const lines: string[] = [];
  for (let at = 0; at < data.length; at += columns)
    lines.push(
      `  ${data
        .slice(at, at + columns)
        .map((text) => text.padStart(width))
        .join('  ')}${more}`,
    );
  if (shape.length > 1 && shape.at(-2)! > shown.at(-2)!) lines.push('  …');
  const place =
    outer > 0
      ? `; at [${shape
          .slice(0, outer)
          .map(() => 0)
          .join(', ')}]:`
      : ':';
  return `${head}, ${values}${place}\n${lines.join('\n')}`;
}

function numberText(value: number | string): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return Number.isInteger(value) || !Number.isFinite(value) ? String(value) : String(Number(value.toPrecision(5)));
}
