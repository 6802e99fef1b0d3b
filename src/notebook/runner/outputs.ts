// Turns the messages of a kernel into the outputs of a notebook file.
import type { CellOutput, MimeBundle } from './format';
import { joinText } from './format';
import type { Message } from './wire';

type DisplayData = Extract<CellOutput, { data: MimeBundle }>;

/**
 * The outputs of the cells of a notebook. An updated display keeps its last state, also when another cell updates it.
 */
export class OutputCollector {
  private readonly displays = new Map<string, DisplayData[]>();

  /** Adds a message to the outputs of its cell. */
  add(outputs: CellOutput[], message: Pick<Message, 'header' | 'content'>): void {
    const content = message.content;
    const type = message.header.msg_type;
    switch (type) {
      case 'stream':
        addText(outputs, String(content.name), String(content.text));
        break;
      case 'display_data':
      case 'execute_result': {
        const display = {
          output_type: type,
          data: objectOr(content.data),
          metadata: objectOr(content.metadata),
          ...(type === 'execute_result' && {
            execution_count: typeof content.execution_count === 'number' ? content.execution_count : null,
          }),
        } as DisplayData;
        outputs.push(display);
        const id = displayId(content);
        if (id !== null) this.displays.set(id, [...(this.displays.get(id) ?? []), display]);
        break;
      }
      case 'update_display_data':
        for (const display of this.displays.get(displayId(content) ?? '') ?? []) {
          display.data = objectOr(content.data);
          display.metadata = objectOr(content.metadata);
        }
        break;
      case 'error':
        outputs.push({
          output_type: 'error',
          ename: String(content.ename),
          evalue: String(content.evalue),
          traceback: Array.isArray(content.traceback) ? content.traceback.map(String) : [],
        });
        break;
    }
  }
}

/** An object of a message; an empty one where it holds something else. */
const objectOr = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

function displayId(content: Record<string, unknown>): string | null {
  const id = objectOr(content.transient).display_id;
  return typeof id === 'string' ? id : null;
}

/** Appends to the last stream of that name; a carriage return overwrites the line, as on a terminal. */
function addText(outputs: CellOutput[], name: string, text: string): void {
  const last = outputs[outputs.length - 1];
  const isSame = last?.output_type === 'stream' && last.name === name;
  const before = isSame ? joinText(last.text) : '';
  let whole = before + text;
  if (text.includes('\r') || before.endsWith('\r')) {
    // Only the last line of the earlier output may be overwritten.
    const at = before.lastIndexOf('\n') + 1;
    whole = before.slice(0, at) + whole.slice(at).split('\n').map(overwritten).join('\n');
  }
  if (isSame) last.text = whole;
  else outputs.push({ output_type: 'stream', name, text: whole });
}

/** A line without the parts that carriage returns overwrite. One at the end overwrites nothing yet. */
function overwritten(line: string): string {
  let end = line.length;
  while (end > 0 && line[end - 1] === '\r') end--; // an expression would take the square of the time
  return line.slice(line.lastIndexOf('\r', end - 1) + 1);
}
