// Jupyter's wire protocol, version 5.3: messages to and from frames, signed with the connection's key.
import { createHmac, randomUUID } from 'node:crypto';

/** A message as it arrives. */
export interface KernelMessage {
  /** For example `execute_reply`, `stream`, `status`. */
  type: string;
  /** Id of the request that it answers; `null` when it answers none. */
  parent: string | null;
  content: Record<string, unknown>;
}

const DELIMITER = '<IDS|MSG>';

function signature(key: string, parts: readonly (string | Buffer)[]): string {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest('hex');
}

/** The frames of a request, and its id. */
export function encodeRequest(
  key: string,
  session: string,
  type: string,
  content: Record<string, unknown>,
): { id: string; frames: string[] } {
  const id = randomUUID();
  const header = { msg_id: id, username: 'rifle-kit', session, msg_type: type, version: '5.3', date: new Date().toISOString() };
  const parts = [header, {}, {}, content].map((part) => JSON.stringify(part));
  return { id, frames: [DELIMITER, signature(key, parts), ...parts] };
}

/** The message in `frames`; `null` when they are not a message signed with `key`. */
export function decodeMessage(key: string, frames: readonly Buffer[]): KernelMessage | null {
  const start = frames.findIndex((frame) => frame.toString('latin1') === DELIMITER);
  const parts = frames.slice(start + 2, start + 6);
  if (start < 0 || parts.length < 4 || frames[start + 1].toString('latin1') !== signature(key, frames.slice(start + 2))) return null;
  const [header, parent, , content] = parts.map((part) => JSON.parse(part.toString('utf8')) as Record<string, unknown>);
  return { type: String(header.msg_type), parent: typeof parent.msg_id === 'string' ? parent.msg_id : null, content };
}
